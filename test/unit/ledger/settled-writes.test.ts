import { afterEach, beforeEach, expect, test } from "vitest";
import { attribute, openLedgerWorld } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";
import { cleanUp } from "../../../src/ledger/clean-up.ts";
import { settledWrites } from "../../../src/ledger/settled-writes.ts";
import { dayMs, writeAgedLog } from "./aged-log.ts";

const key = { tenant_slug: "acme", segment_id: 7 };

let world: LedgerWorld;
beforeEach(async () => {
  world = await openLedgerWorld();
});
afterEach(() => world.close());

test.each([
  ["of rare runs the newest ten are verified", 5, 10],
  ["of frequent runs those of thirty days", 1.01, 29],
])("no file that a clean-up may have taken is asked for: %s", async (_, gapDays, found) => {
  const run = {
    gapDays,
    isPlanned: true,
    isMoved: true,
    parts: 1,
    isHeld: false,
    isVerified: false,
    orphans: 0,
  };
  const runs = Array.from({ length: 45 }, () => ({ ...run, isApproved: false, isUnderNewestConfig: true }));
  const { nowMs } = await writeAgedLog(world.root, { runs, isLastOpen: false });
  expect((await cleanUp(world.storage, key, { nowMs, afterMs: 30 * dayMs })).files).toBeGreaterThan(10);
  const at = new Date(nowMs).toISOString();
  const asked = { number: 46, from: 0, at, windowMs: 420_000, channel: attribute };
  const writes = await settledWrites(world.ledger.log(key), asked);
  expect(writes.through).toBe(45);
  expect(writes.entered).toHaveLength(found);
  for (const part of writes.entered)
    expect([part.key, (await world.storage.get(part.key)) !== undefined]).toEqual([part.key, true]);
});
