import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FileRef } from "../../../src/contracts/log.ts";
import { recentWrites } from "../../../src/ledger/recent-writes.ts";
import { settledWrites } from "../../../src/ledger/settled-writes.ts";
import { LedgerRuns, minute, type Ran } from "./ledger-runs.ts";
import { attribute, emptyLedger, oddIds, openLedgerWorld } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

const windowMinutes = 7;

let world: LedgerWorld;
let runs: LedgerRuns;
beforeEach(async () => {
  world = await openLedgerWorld();
  runs = new LedgerRuns(world);
});
afterEach(() => world.close());

const users = (count: number, prefix = "user-") =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** Settled by Braze but for these places, which were never answered. */
function unanswered(from: number, to: number) {
  const rejects = { count: 0, inline: {}, file: null };
  return { progress: { cursor: from, attempted: to, rejects, requests: 1, resent: 0 }, reported: true };
}

interface Sample {
  /** Minutes into the story. */
  at: number;
  number: number;
  after: Ran;
  from?: number;
  users?: number;
  fromBase?: boolean;
}

/** As the activity chooses them: `ann` is expected to be a member, `-ann` not to be one. */
async function chosen({ at, number, after, from = 0, users: most = 500, fromBase = false }: Sample) {
  const window = { number, at: minute(at), windowMs: windowMinutes * 60_000 };
  const { through, entered, exited } = await settledWrites(runs.log, { ...window, from, channel: attribute });
  const recent = (await recentWrites(runs.log, window))(attribute).flatMap(({ parts }) => parts);
  const expected = await world.ledger.chooseUsers({
    ledger: after.ledger ?? emptyLedger,
    parts: fromBase ? exited : [...entered, ...exited],
    fromBase,
    recent,
    users: most,
    seed: number,
  });
  return { through, chosen: expected.map(({ userId, isMember }) => (isMember ? userId : `-${userId}`)) };
}

describe("the sample", () => {
  test("is of users whom runs wrote before the quiet window, as the ledger says they are", async () => {
    await runs.run({ at: 0, members: ["ann", "bob"] });
    await runs.run({ at: 10, members: ["bob", "cid"] });
    const after = await runs.run({ at: 20, members: ["bob", "cid", "dot"] });
    expect(await chosen({ at: 26, number: 4, after })).toEqual({
      through: 2,
      chosen: ["-ann", "bob", "cid"],
    });
    expect(await chosen({ at: 27, number: 4, after })).toEqual({
      through: 3,
      chosen: ["-ann", "bob", "cid", "dot"],
    });
  });

  test("holds nobody twice: what was verified before is not looked at again", async () => {
    await runs.run({ at: 0, members: ["ann"] });
    const after = await runs.run({ at: 10, members: ["ann", "bob"] });
    expect(await chosen({ at: 20, number: 3, after, from: 1 })).toEqual({ through: 2, chosen: ["bob"] });
    const { entered, exited, through } = await settledWrites(runs.log, {
      number: 3,
      from: 2,
      at: minute(20),
      windowMs: 0,
      channel: attribute,
    });
    expect([entered, exited, through]).toEqual([[], [], 0]);
  });

  test("leaves out who is written again within the window, and every exception", async () => {
    await runs.run({ at: 0, members: ["ann", "bob", "cid"], ends: unanswered(2, 3) });
    const after = await runs.run({ at: 10, members: ["bob"], windowMinutes: 0, ends: "died" });
    expect(after.exceptions).toEqual(["ann: abandoned", "cid: abandoned"]);
    expect((await chosen({ at: 30, number: 3, after })).chosen).toEqual(["bob"]);
    const again = await runs.run({ at: 31, members: ["ann", "bob"], wrong: ["bob"] });
    expect((await chosen({ at: 32, number: 4, after: again })).chosen).toEqual([]);
  });

  test("waits with what comes after a run that is too young", async () => {
    await runs.run({ at: 0, members: ["ann"] });
    await runs.run({ at: 20, members: ["ann", "bob"] });
    // Commits are not quite in the order of their times.
    const after = await runs.run({ at: 15, members: ["ann", "bob", "cid"] });
    expect(await chosen({ at: 25, number: 4, after })).toEqual({ through: 1, chosen: ["ann"] });
  });

  test("reaches back to runs whose files clean-up keeps, and no further", async () => {
    const members = users(12);
    // Five days lie between two runs: the newest ten are kept, however old they are.
    const fiveDays = 5 * 24 * 60;
    let after = await runs.run({ at: 0, members: members.slice(0, 1) });
    for (let n = 2; n <= 12; n++) after = await runs.run({ at: n * fiveDays, members: members.slice(0, n) });
    const { chosen: found } = await chosen({ at: 12 * fiveDays + 20, number: 13, after });
    expect(found.toSorted()).toEqual(members.slice(2).toSorted());
  });

  test("says nothing of a run that sent nothing, and is through with it", async () => {
    const after = await runs.run({ at: 0, members: ["ann"], ends: "unsent" });
    expect(await chosen({ at: 20, number: 2, after })).toEqual({ through: 1, chosen: [] });
  });

  test("is as large as wanted, the same for the same run, and another for the next one", async () => {
    const after = await runs.run({ at: 0, members: users(45_000) });
    const first = await chosen({ at: 20, number: 2, after, users: 500 });
    expect(first.chosen).toHaveLength(500);
    expect(await chosen({ at: 20, number: 2, after, users: 500 })).toEqual(first);
    await runs.run({ at: 21, members: users(45_000) });
    const second = await chosen({ at: 22, number: 3, after, users: 500 });
    expect(second.chosen.filter((id) => first.chosen.includes(id)).length).toBeLessThan(50);
  });

  test("of the whole is of members whoever wrote them, and of a fifth who exited", async () => {
    await runs.run({ at: 0, members: users(1000) });
    const after = await runs.run({ at: 10, members: users(1000).slice(0, 500) });
    const whole = await chosen({ at: 30, number: 3, after, users: 100, fromBase: true });
    expect(whole.chosen.filter((id) => id.startsWith("-"))).toHaveLength(20);
    expect(whole.chosen).toHaveLength(100);
    const all = await chosen({ at: 30, number: 3, after, users: 10_000, fromBase: true });
    expect(all.chosen).toHaveLength(1000);
  });

  test("holds ids as they are", async () => {
    const after = await runs.run({ at: 0, members: oddIds });
    expect((await chosen({ at: 20, number: 2, after })).chosen.toSorted()).toEqual(oddIds.toSorted());
  });
});

describe("a user found wrong", () => {
  test("is unknown to the next plan, which writes what is desired, whether or not anything else changed", async () => {
    await runs.run({ at: 0, members: ["ann", "bob"] });
    await runs.run({ at: 10, members: ["bob"] });
    // Braze shows ann, and does not show bob.
    const repair = await runs.run({ at: 20, members: ["bob"], wrong: ["ann", "bob"] });
    expect(repair).toMatchObject({ entered: ["bob"], exited: ["ann"], exceptions: [] });
    const [entered] = repair.plan.deltas.find(({ direction }) => direction === "entered")?.parts ?? [];
    expect(await world.rows(entered as FileRef)).toMatchObject([{ user_id: "bob", former: "unknown" }]);
    expect(repair.ledger).toMatchObject({ counts: { delivered: 1, unknown: 0 } });
  });

  test("nobody else is written, and once is enough", async () => {
    const members = users(3000);
    await runs.run({ at: 0, members });
    const repair = await runs.run({ at: 10, members: [...members, "new"], wrong: ["user-17", "gone"] });
    expect(repair).toMatchObject({ entered: ["new", "user-17"], exited: ["gone"] });
    expect(await runs.run({ at: 20, members: [...members, "new"] })).toMatchObject({
      entered: [],
      exited: [],
    });
  });

  test.each(["unsent", "died"] as const)(
    "stays unknown where its repair is %s, until a run has written it",
    async (ends) => {
      await runs.run({ at: 0, members: ["ann", "bob"] });
      const failed = await runs.run({ at: 10, members: ["ann", "bob"], wrong: ["ann", "gone"], ends });
      expect(failed.ledger).toMatchObject({ counts: { delivered: 1, unknown: 2 } });
      expect(await runs.run({ at: 20, members: ["ann", "bob"] })).toMatchObject({
        entered: ["ann"],
        exited: ["gone"],
        exceptions: [],
      });
    },
  );

  test("waits for the quiet window like anybody", async () => {
    await runs.run({ at: 0, members: ["ann"] });
    const early = await runs.run({ at: 1, members: ["ann"], wrong: ["ann"], windowMinutes });
    expect(early).toMatchObject({
      entered: [],
      exceptions: ["ann: quiet"],
      ledger: { counts: { unknown: 1 } },
    });
    expect(await runs.run({ at: 7, members: ["ann"], windowMinutes })).toMatchObject({ entered: ["ann"] });
  });

  test("who left before is not held by the removal guard; who leaves now is counted as anybody", async () => {
    const members = users(20);
    await runs.run({ at: 0, members: [...members, "left"] });
    await runs.run({ at: 10, members });
    const emptied = await runs.run({ at: 20, members: [], wrong: ["left", "user-3"], guard: {} });
    expect(emptied.exited).toEqual(["left"]);
    expect(emptied.plan.held).toMatchObject({ rows: 20 });
  });

  test("a rejection rests nonetheless", async () => {
    const rejects = { count: 1, inline: { braze_user_blocked: [0] }, file: null };
    const progress = { cursor: 2, attempted: 2, rejects, requests: 1, resent: 0 };
    await runs.run({ at: 0, members: ["ann", "bob"], ends: { reported: true, progress } });
    const next = await runs.run({ at: 10, members: ["ann", "bob"], wrong: ["ann"] });
    expect(next).toMatchObject({ entered: [], exceptions: ["ann: braze_user_blocked"] });
  });
});
