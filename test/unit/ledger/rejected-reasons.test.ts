import { afterEach, beforeEach, expect, test } from "vitest";
import { rejectedReasonsSchema } from "../../../src/contracts/rejected.ts";
import { LedgerRuns } from "./ledger-runs.ts";
import { attribute, openLedgerWorld, writeFirstConfig } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

const key = { tenant_slug: "acme", segment_id: 7 };

let world: LedgerWorld;
let runs: LedgerRuns;
beforeEach(async () => {
  world = await openLedgerWorld();
  await writeFirstConfig(world);
  runs = new LedgerRuns(world);
});
afterEach(() => world.close());

async function reasons() {
  return rejectedReasonsSchema.parse(await world.ledger.rejectedReasons(key)).results;
}

function ending(inline: Record<string, number[]>, users: number) {
  const count = Object.values(inline).flat().length;
  const progress = {
    cursor: users,
    attempted: users,
    rejects: { count, inline, file: null },
    requests: 1,
    resent: 0,
  };
  return { progress, reported: true };
}

test("rejected users are counted by reason, the most first, and nobody is named", async () => {
  const ends = ending({ braze_id_too_long: [0], braze_user_rejected: [1, 3] }, 4);
  await runs.run({ at: 0, members: ["ann", "bob", "cay", "dan"], ends });
  const counted = await reasons();
  expect(counted).toEqual([
    { channel: attribute, reason: "braze_user_rejected", users: 2 },
    { channel: attribute, reason: "braze_id_too_long", users: 1 },
  ]);
  expect(JSON.stringify(counted)).not.toContain("bob");
});

test("users who only wait are no rejected ones", async () => {
  await runs.run({ at: 0, members: ["ann", "bob"], ends: "died" });
  expect(await reasons()).toEqual([]);
});

test("before the first run there is no reason", async () => {
  expect(await reasons()).toEqual([]);
});
