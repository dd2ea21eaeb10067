import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createWriteConfig } from "../../../src/activities/write-config.ts";
import { createSealingKeys, sealKey } from "../../../src/braze/sealed-key.ts";
import { dayMs, writeAgedLog } from "../ledger/aged-log.ts";
import type { AgedLog, AgedRun } from "../ledger/aged-log.ts";
import { openLedgerWorld, restEndpoint } from "../ledger/ledger-world.ts";
import type { LedgerWorld } from "../ledger/ledger-world.ts";

const key = { tenant_slug: "acme", segment_id: 7 };
const { publicKeys, privateKeys } = await createSealingKeys();

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

test("an approval of a set whose file is lost is taken: the run that follows says so, and sends nothing", async () => {
  const log = await heldOnce(2, 1);
  await rm(join(world.root, heldFile(log).key));
  expect(await approve(log)).toMatchObject({ number: 2 });
});

/** Settings written by the client's `create`, by whatever change. */
async function create(changeId: string, batch_size: number): Promise<unknown> {
  const deps = { ledger: world.ledger, allowedOrigins: [], sealingKeys: privateKeys };
  const sealedFor = { connector: "braze/acme/7", host: new URL(restEndpoint).host };
  const api_key = await sealKey("a-key", sealedFor, publicKeys);
  return await createWriteConfig(deps)({
    key,
    workflowId: "braze/acme/7",
    at: "2026-05-02T14:32:05.000Z",
    changeId,
    change: "configured",
    config: { rest_endpoint: restEndpoint, api_key, batch_size },
    create: true,
  });
}

test("of two creations at once, by whatever workflows, one is done and the other refused, and the first one's settings stay", async () => {
  const results = await Promise.allSettled([create("a/one", 10), create("b/two", 20)]);
  const done = results.filter(({ status }) => status === "fulfilled");
  const refusals = results.filter((result) => result.status === "rejected");
  expect(done).toHaveLength(1);
  expect(refusals[0]?.reason).toMatchObject({ code: "connector_exists", detail: "acme/7, inactive" });
  const batchSize = results[0]?.status === "fulfilled" ? 10 : 20;
  expect(await world.ledger.log(key).latestConfig()).toMatchObject({
    number: 1,
    config: { batch_size: batchSize },
  });
});

test("a creation that is repeated, its answer having been lost, is answered as the first time and written once", async () => {
  expect(await create("a/one", 10)).toMatchObject({ number: 1, shown: { batch_size: 10 } });
  expect(await create("a/one", 10)).toMatchObject({ number: 1, shown: { batch_size: 10 } });
  expect((await world.ledger.log(key).latestConfig())?.number).toBe(1);
});

test("a removed connector is created anew", async () => {
  await create("a/one", 10);
  const deps = { ledger: world.ledger, allowedOrigins: [], sealingKeys: privateKeys };
  await createWriteConfig(deps)({
    key,
    workflowId: "braze/acme/7",
    at: "2026-05-02T14:32:05.000Z",
    changeId: "a/removal",
    change: "removed",
    config: null,
  });
  expect(await create("a/three", 30)).toMatchObject({ number: 3, shown: { batch_size: 30 } });
});
