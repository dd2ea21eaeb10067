import { afterEach, beforeEach, expect, test } from "vitest";
import { recentWrites } from "../../../src/ledger/recent-writes.ts";
import type { RecentWrites } from "../../../src/ledger/quiet.ts";
import { LedgerRuns, minute } from "./ledger-runs.ts";
import { attribute, openLedgerWorld } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

let world: LedgerWorld;
let runs: LedgerRuns;
beforeEach(async () => {
  world = await openLedgerWorld();
  runs = new LedgerRuns(world);
});
afterEach(() => world.close());

async function recent(number: number, at: number, channel = attribute): Promise<RecentWrites[]> {
  const writes = await recentWrites(runs.log, { number, at: minute(at), windowMs: 7 * 60_000 });
  return writes(channel);
}

test("the first run finds none", async () => {
  expect(await recent(1, 0)).toEqual([]);
});

test("runs within the window are answered newest first, each with its parts and the end of its window", async () => {
  const first = await runs.run({ at: 0, members: ["ann"] });
  const second = await runs.run({ at: 4, members: ["bob"], ends: "died" });
  const parts = (plan: typeof first.plan) => plan.deltas.flatMap((delta) => delta.parts);
  expect(await recent(3, 6)).toEqual([
    { until: minute(11), parts: parts(second.plan), exceptions: second.ledger?.exceptions },
    { until: minute(7), parts: parts(first.plan), exceptions: null },
  ]);
  expect(parts(second.plan)).toHaveLength(2);
});

test("a run that closed as long ago as the window lasts is not among them", async () => {
  await runs.run({ at: 0, members: ["ann"] });
  await runs.run({ at: 2, members: ["bob"] });
  expect((await recent(3, 7)).map(({ until }) => until)).toEqual([minute(9)]);
  expect(await recent(3, 9)).toEqual([]);
});

test("a run of which Braze took nothing is not among them, and hides no other", async () => {
  await runs.run({ at: 0, members: ["ann"] });
  await runs.run({ at: 1, members: ["bob"], ends: "refused" });
  expect((await recent(3, 2)).map(({ until }) => until)).toEqual([minute(7)]);
});

test("a channel has only its own", async () => {
  await runs.run({ at: 0, members: ["ann"] });
  expect(await recent(2, 1, "attribute:another")).toEqual([]);
});

test("a hole in the log is not taken for a quiet time", async () => {
  await expect(recent(5, 1)).rejects.toMatchObject({ code: "log_unreadable" });
});
