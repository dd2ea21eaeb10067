import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LedgerRuns } from "./ledger-runs.ts";
import { openLedgerWorld } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

let world: LedgerWorld;
let runs: LedgerRuns;
beforeEach(async () => {
  world = await openLedgerWorld();
  runs = new LedgerRuns(world);
});
afterEach(() => world.close());

/** All answered, these places rejected for good. */
function blocking(users: number, ...places: number[]) {
  const rejects = { count: places.length, inline: { braze_user_blocked: places }, file: null };
  const progress = { cursor: users, attempted: users, rejects, requests: 1, resent: 0 };
  return { progress, reported: true };
}

describe("a resync", () => {
  test("writes every member again, and once", async () => {
    await runs.run({ at: 0, members: ["ann", "bob"] });
    const again = await runs.run({ at: 1, members: ["ann", "bob", "cid"], resync: true });
    expect(again).toMatchObject({ entered: ["ann", "bob", "cid"], exited: [], exceptions: [] });
    expect(await runs.run({ at: 2, members: ["ann", "bob", "cid"] })).toMatchObject({ entered: [] });
  });

  test("tries those again whom Braze rejected for good, when they entered and when they left", async () => {
    await runs.run({ at: 0, members: ["ann", "bob"] });
    const left = await runs.run({ at: 1, members: ["bob"], ends: blocking(1, 0) });
    expect(left.exceptions).toEqual(["ann: braze_user_blocked"]);
    await runs.run({ at: 2, members: ["bob", "cid"], ends: blocking(1, 0) });
    const rests = await runs.run({ at: 3, members: ["bob", "cid"] });
    expect(rests).toMatchObject({
      entered: [],
      exited: [],
      exceptions: ["ann: braze_user_blocked", "cid: braze_user_blocked"],
    });
    const again = await runs.run({ at: 4, members: ["bob", "cid"], resync: true });
    expect(again).toMatchObject({ entered: ["bob", "cid"], exited: ["ann"], exceptions: [] });
  });

  test("leaves ids alone that no request can carry", async () => {
    const overlong = "x".repeat(988);
    await runs.run({ at: 0, members: ["ann", overlong] });
    const again = await runs.run({ at: 1, members: ["ann", overlong], resync: true });
    expect(again).toMatchObject({ entered: ["ann"], exceptions: [`${overlong}: braze_id_too_long`] });
  });

  test("that is not sent claims nothing of anyone: they are unknown until they are written", async () => {
    await runs.run({ at: 0, members: ["ann"] });
    const unsent = await runs.run({ at: 1, members: ["ann"], resync: true, ends: "unsent" });
    expect(unsent.ledger).toMatchObject({ counts: { delivered: 0, unknown: 1 } });
    expect(await runs.run({ at: 2, members: ["ann"] })).toMatchObject({ entered: ["ann"], exceptions: [] });
  });

  test("inside the quiet window writes everybody when it is over", async () => {
    await runs.run({ at: 0, members: ["ann", "bob"] });
    const early = await runs.run({ at: 6, members: ["ann", "bob"], resync: true, windowMinutes: 7 });
    expect(early).toMatchObject({ entered: [], exceptions: ["ann: quiet", "bob: quiet"] });
    const late = await runs.run({ at: 7, members: ["ann", "bob"], windowMinutes: 7 });
    expect(late).toMatchObject({ entered: ["ann", "bob"], exceptions: [] });
  });

  test("has its exits guarded as any run", async () => {
    const members = Array.from({ length: 20 }, (_, index) => `user-${index}`);
    await runs.run({ at: 0, members });
    const emptied = await runs.run({ at: 1, members: [], resync: true, guard: {} });
    expect(emptied.exited).toEqual([]);
    expect(emptied.plan.held).toMatchObject({ rows: 20 });
  });

  test("that waits for the quiet window leaves the guard on: a source gone empty then clears nobody", async () => {
    const members = Array.from({ length: 20 }, (_, index) => `user-${index}`);
    await runs.run({ at: 0, members });
    await runs.run({ at: 1, members, resync: true, windowMinutes: 7 });
    const emptied = await runs.run({ at: 9, members: [], guard: {}, windowMinutes: 7 });
    expect(emptied).toMatchObject({ exited: [], plan: { held: { rows: 20 } } });
  });
});
