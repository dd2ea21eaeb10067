import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LedgerRuns, minute } from "./ledger-runs.ts";
import { openLedgerWorld } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

const windowMinutes = 7;

let world: LedgerWorld;
let runs: LedgerRuns;
beforeEach(async () => {
  world = await openLedgerWorld();
  runs = new LedgerRuns(world);
});
afterEach(() => world.close());

describe("the quiet window", () => {
  test("leaves a user whom a run wrote six minutes ago alone until it is over, whatever SegOps says now", async () => {
    await runs.run({ at: 0, members: ["ann", "bob"] });
    const early = await runs.run({ at: 6, members: ["bob", "cid"], windowMinutes });
    expect(early).toMatchObject({ entered: ["cid"], exited: [], exceptions: ["ann: quiet"] });
    // The window's end is when a timer runs again; Braze still shows her.
    expect(early.ledger).toMatchObject({ retry_at: minute(7), counts: { delivered: 3, waiting: 1 } });
    const late = await runs.run({ at: 7, members: ["bob", "cid"], windowMinutes });
    expect(late).toMatchObject({ entered: [], exited: ["ann"], exceptions: [] });
  });

  test("is over at its very end, and not a millisecond before", async () => {
    await runs.run({ at: 0, members: ["ann"] });
    const justBefore = await runs.run({ at: 7 - 1 / 60_000, members: [], windowMinutes });
    expect(justBefore).toMatchObject({ exited: [], exceptions: ["ann: quiet"] });
    expect(await runs.run({ at: 7, members: [], windowMinutes })).toMatchObject({ exited: ["ann"] });
  });

  test("forgets a user who is wanted again before it is over: nothing was written, and nothing is", async () => {
    await runs.run({ at: 0, members: ["ann"] });
    await runs.run({ at: 1, members: [], windowMinutes });
    const back = await runs.run({ at: 2, members: ["ann"], windowMinutes });
    expect(back).toMatchObject({ entered: [], exited: [], exceptions: [] });
    expect(back.ledger).toMatchObject({ retry_at: null });
  });

  test("keeps the time since when a user waits, however many runs find them waiting", async () => {
    await runs.run({ at: 0, members: ["ann"] });
    for (const at of [1, 2, 3]) {
      const { plan } = await runs.run({ at, members: [], windowMinutes });
      expect(await world.rows(plan.kept)).toMatchObject([
        { since: minute(1), state: "present", attempts: 0 },
      ]);
    }
  });

  test("frees whoever was planned and never sent", async () => {
    await runs.run({ at: 0, members: ["ann"] });
    await runs.run({ at: 10, members: [], windowMinutes, ends: "unsent" });
    const next = await runs.run({ at: 11, members: [], windowMinutes });
    expect(next).toMatchObject({ exited: ["ann"], exceptions: [] });
  });

  test("frees in one part whoever was not sent any more, and nobody else", async () => {
    const rejects = { count: 0, inline: {}, file: null };
    const progress = { cursor: 1, attempted: 2, rejects, requests: 2, resent: 0 };
    await runs.run({ at: 0, members: ["a", "b", "c"], ends: { reported: true, progress } });
    // a was acknowledged, b was not answered, c was never sent.
    const next = await runs.run({ at: 1, members: ["b", "c"], windowMinutes });
    expect(next).toMatchObject({ entered: ["c"], exited: [], exceptions: ["a: quiet", "b: quiet"] });
    expect(await runs.run({ at: 7, members: ["b", "c"], windowMinutes })).toMatchObject({
      entered: ["b"],
      exited: ["a"],
      exceptions: [],
    });
  });

  test("makes users wait whom a dead run may have written, both ways", async () => {
    await runs.run({ at: 0, members: ["ann"] });
    await runs.run({ at: 20, members: ["bob"], ends: "died" });
    const early = await runs.run({ at: 26, members: ["ann"], windowMinutes });
    expect(early).toMatchObject({ entered: [], exited: [], exceptions: ["ann: quiet", "bob: quiet"] });
    // Unknown they stay, so that they are written when it is over.
    expect(await world.rows(early.plan.kept)).toMatchObject([{ state: "unknown" }, { state: "unknown" }]);
    expect(await runs.run({ at: 27, members: ["ann"], windowMinutes })).toMatchObject({
      entered: ["ann"],
      exited: ["bob"],
    });
  });

  test("counts from the later of two runs that wrote the same user", async () => {
    await runs.run({ at: 0, members: ["ann"] });
    // Written within it nonetheless, as by a run with a shorter window.
    await runs.run({ at: 3, members: [] });
    for (const at of [5, 8]) {
      const early = await runs.run({ at, members: ["ann"], windowMinutes });
      expect(early).toMatchObject({
        entered: [],
        exceptions: ["ann: quiet"],
        ledger: { retry_at: minute(10) },
      });
    }
    expect(await runs.run({ at: 10, members: ["ann"], windowMinutes })).toMatchObject({ entered: ["ann"] });
  });

  test("does not begin anew with a run that left the user alone", async () => {
    await runs.run({ at: 0, members: ["ann"] });
    await runs.run({ at: 5, members: ["bob"], windowMinutes });
    expect(await runs.run({ at: 7, members: ["bob"], windowMinutes })).toMatchObject({ exited: ["ann"] });
  });

  test("does not begin with a run of which Braze refused everything", async () => {
    await runs.run({ at: 0, members: ["ann", "bob"], ends: "refused" });
    expect(await runs.run({ at: 1, members: ["ann", "bob"], windowMinutes })).toMatchObject({
      entered: ["ann", "bob"],
    });
  });

  test("leaves parts in byte order and without gaps, of many users of whom some wait", async () => {
    const members = Array.from({ length: 45_000 }, (_, index) => `user-${String(index).padStart(6, "0")}`);
    await runs.run({ at: 0, members: members.filter((_, index) => index % 3 === 0), ends: "died" });
    const next = await runs.run({ at: 1, members, windowMinutes });
    expect(next.entered).toEqual(members.filter((_, index) => index % 3 !== 0));
    expect(next.exceptions).toHaveLength(15_000);
  });
});
