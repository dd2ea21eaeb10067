import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createWriteConfig } from "../../../src/activities/write-config.ts";
import { dayMs, writeAgedLog } from "../ledger/aged-log.ts";
import type { AgedLog, AgedRun } from "../ledger/aged-log.ts";
import { openLedgerWorld } from "../ledger/ledger-world.ts";
import type { LedgerWorld } from "../ledger/ledger-world.ts";

const key = { tenant_slug: "acme", segment_id: 7 };

let world: LedgerWorld;
beforeEach(async () => {
  world = await openLedgerWorld();
});
afterEach(() => world.close());

/** A log of runs so many days apart, of which the first held exits and no later one. */
async function heldOnce(runs: number, gapDays: number): Promise<AgedLog> {
  const later: AgedRun = {
    gapDays,
    isPlanned: true,
    isMoved: false,
    parts: 0,
    isHeld: false,
    isVerified: false,
    orphans: 0,
    isApproved: false,
    isUnderNewestConfig: true,
  };
  const rest = Array.from({ length: runs - 1 }, () => later);
  return await writeAgedLog(world.root, { runs: [{ ...later, isHeld: true }, ...rest], isLastOpen: false });
}

function heldFile(log: AgedLog): { key: string; sha256: string } {
  const held = log.entries.flatMap(({ refs }) => refs).find((ref) => ref.key.endsWith(".held.parquet"));
  if (!held) throw new Error("nothing is held");
  return held;
}

async function approve(log: AgedLog): Promise<unknown> {
  const deps = { ledger: world.ledger, allowedOrigins: [], sealingKeys: { keys: [] } };
  return await createWriteConfig(deps)({
    key,
    workflowId: "braze/acme/7",
    at: new Date(log.nowMs).toISOString(),
    changeId: "approval",
    change: "removal_approved",
    // The aged log's digest is that of its one file.
    config: { digest: heldFile(log).sha256 },
  });
}

const refused = { code: "config_invalid", detail: expect.stringContaining("names no removal that is held") };

test("a removal that is held is approved, however old, while it is among the newest ten runs", async () => {
  expect(await approve(await heldOnce(10, 40))).toMatchObject({ number: 2 });
  expect((await world.ledger.log(key).latestConfig())?.change).toBe("removal_approved");
});

test("a removal that is held is approved after however many runs, while it is younger than thirty days", async () => {
  expect(await approve(await heldOnce(30, 0.9))).toMatchObject({ number: 2 });
});

test("an approval of a set that may be cleaned up is refused, so that no guard ever misses it", async () => {
  const log = await heldOnce(11, 3);
  expect(log.nowMs - log.entries[1]!.atMs).toBeGreaterThan(30 * dayMs);
  await expect(approve(log)).rejects.toMatchObject(refused);
  expect((await world.ledger.log(key).latestConfig())?.number).toBe(1);
});

test("an approval of a set whose file is gone is refused, and does not stop the connector", async () => {
  const log = await heldOnce(2, 1);
  await rm(join(world.root, heldFile(log).key));
  await expect(approve(log)).rejects.toMatchObject(refused);
  expect((await world.ledger.log(key).latestConfig())?.number).toBe(1);
});
