import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { ChannelPlan, FileRef } from "../../../src/contracts/log.ts";
import { partSize } from "../../../src/ledger/diff.ts";
import type { ChannelDiff } from "../../../src/ledger/diff.ts";
import { createDuckDb } from "../../../src/ledger/duckdb.ts";
import { byBytes } from "../../model/byte-order.ts";
import {
  attribute,
  emptyLedger,
  folder,
  oddIds,
  openLedgerWorld,
  planOf,
  restEndpoint,
} from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const at = "2026-05-02T14:32:05Z";
const tooLong = "x".repeat(988);

async function diff(snapshot: FileRef | null, ledger: Partial<ChannelDiff> = {}): Promise<ChannelPlan> {
  const channel = {
    channel: attribute,
    ...emptyLedger,
    target: "snapshot",
    batchSize: 75,
    ...ledger,
  } as const;
  const [plan] = await world.ledger.diffChannels({ folder, number: 42, snapshot, channels: [channel], at });
  return plan!;
}

/** Fills a snapshot from a query: quicker than a million ids by hand. */
async function snapshotOf(query: string): Promise<FileRef> {
  const path = `${world.root}/../made.parquet`;
  const duckdb = createDuckDb({ memoryLimit: "512MB", threads: 2, spillFolder: `${world.root}/../made` });
  await duckdb.use((session) => session.run(`COPY (${query}) TO '${path}' (FORMAT parquet)`));
  await duckdb.close();
  const builder = world.ledger.createSnapshot();
  onTestFinished(() => builder.discard());
  await builder.addExport(path, "parquet");
  const built = await builder.finish();
  return world.ledger.publishSnapshot({ built, folder, computedAt: at, previous: null });
}

async function idsOf(parts: readonly FileRef[]): Promise<string[]> {
  const ids = [];
  for (const part of parts) ids.push(...(await world.ledger.readPart(part)));
  return ids;
}

describe("a diff", () => {
  test("of a first load has every user once, in parts of whole batches, sorted within and across parts", async () => {
    const ids = Array.from({ length: 50_000 }, (_, index) => `user-${index}`);
    const [delta, ...none] = (await diff(await world.snapshot(ids))).deltas;
    expect(none).toEqual([]);
    expect(delta).toMatchObject({ direction: "entered", users: 50_000, batch_size: 75 });
    expect(delta!.parts.map((part) => part.rows)).toEqual([20_475, 20_475, 9_050]);
    const requests = delta!.parts.reduce((sum, { rows }) => sum + Math.ceil(rows / 75), 0);
    expect(requests).toBe(Math.ceil(50_000 / 75));
    expect(await idsOf(delta!.parts)).toEqual(ids.toSorted(byBytes));
    expect(delta!.parts[1]!.key).toMatch(
      /^connectors\/acme\/7\/parts\/000000000042-[0-9a-f]{12}\/entered-0002\.parquet$/,
    );
  });

  test("of a snapshot with itself is nothing and leaves no file behind", async () => {
    const snapshot = await world.snapshot(["a", "b"]);
    const before = await keys();
    expect(await diff(snapshot, { base: snapshot })).toMatchObject({ deltas: [], kept: null });
    expect(await keys()).toEqual(before);
    expect(await world.leftovers()).toEqual([]);
  });

  test(
    "of sets so large that they are cut into ranges finds each user that moved, and no other",
    { timeout: 180_000 },
    async () => {
      const md5 = "SELECT md5(range::VARCHAR) AS user_id FROM";
      const base = await snapshotOf(`${md5} range(1600000)`);
      // So many leave that the ids at which the ranges are cut are among them.
      const snapshot = await snapshotOf(`${md5} range(1600100) WHERE range % 3 = 0`);
      const { deltas } = await diff(snapshot, { base });
      expect(deltas.map(({ direction, users }) => [direction, users])).toEqual([
        ["entered", 33],
        ["exited", 1_066_666],
      ]);
      const exits = await idsOf(deltas[1]!.parts);
      expect(exits.findIndex((id, index) => index > 0 && id <= exits[index - 1]!)).toBe(-1);
      const gone = await snapshotOf(`${md5} range(1600000) WHERE range % 3 <> 0`);
      expect((await world.snapshot(exits)).sha256).toBe(gone.sha256);
    },
  );

  test("carries odd ids through snapshot, diff, part and commit as the bytes they were", async () => {
    const snapshot = await world.snapshot([...oddIds, tooLong]);
    const plan = await diff(snapshot);
    expect(await idsOf(plan.deltas[0]!.parts)).toEqual(oddIds.toSorted(byBytes));
    expect(await world.rows(plan.kept)).toEqual([
      {
        user_id: tooLong,
        state: "absent",
        reason: "braze_id_too_long",
        since: "2026-05-02T14:32:05.000Z",
        attempts: 0,
        retry_at: null,
      },
    ]);
    const settling = { folder, number: 42, plan: planOf(42, snapshot, [plan]), restEndpoint, at };
    const [unsent] = await world.ledger.settleLedger({ ...settling, parts: [] });
    const again = await diff(snapshot, { base: unsent!.base, exceptions: unsent!.exceptions });
    expect(await idsOf(again.deltas[0]!.parts)).toEqual(oddIds.toSorted(byBytes));
    expect((await world.rows(again.kept)).map((row) => row["user_id"])).toEqual([tooLong]);
  });

  test("leaves rejected users alone until their time, and writes no new file for them", async () => {
    const snapshot = await world.snapshot(["a", "b", "c"]);
    const plan = await diff(snapshot);
    const rejects = { count: 2, inline: { braze_user_rejected: [0], braze_user_blocked: [1] }, file: null };
    const progress = { cursor: 3, attempted: 3, rejects, requests: 1, resent: 0 };
    const [ledger] = await world.ledger.settleLedger({
      folder,
      number: 42,
      plan: planOf(42, snapshot, [plan]),
      restEndpoint,
      parts: [{ channel: attribute, direction: "entered", part: 0, reported: true, progress }],
      at,
    });
    expect(ledger).toMatchObject({
      counts: { delivered: 1, rejected: 2, unknown: 0, waiting: 0 },
      retry_at: "2026-05-03T14:32:05.000Z",
    });
    const { base, exceptions } = ledger!;
    expect(await diff(snapshot, { base, exceptions })).toMatchObject({ deltas: [], kept: exceptions });
    const dayLater = { folder, number: 43, snapshot, at: "2026-05-03T14:32:05Z" };
    const channels = [{ channel: attribute, base, exceptions, target: "snapshot", batchSize: 75 } as const];
    const [retried] = await world.ledger.diffChannels({ ...dayLater, channels });
    expect(await idsOf(retried!.deltas[0]!.parts)).toEqual(["a"]);
    expect((await world.rows(retried!.kept)).map((row) => row["user_id"])).toEqual(["b"]);
  });

  test("stops when it is cancelled, and clears its scratch", async () => {
    const snapshot = await world.snapshot(["a"]);
    const channels = [{ channel: attribute, ...emptyLedger, target: "snapshot", batchSize: 75 } as const];
    const signal = AbortSignal.abort(new Error("cancelled by a test"));
    await expect(
      world.ledger.diffChannels({ folder, number: 1, snapshot, channels, at, signal }),
    ).rejects.toThrow("cancelled by a test");
    expect(await world.leftovers()).toEqual([]);
  });

  test("refuses to hold a snapshot that was not given, rather than take it for empty", async () => {
    await expect(diff(null, { base: await world.snapshot(["a"]) })).rejects.toMatchObject({
      code: "unexpected",
    });
  });
});

test.each([
  [1, 75, 20_475],
  [10_237_500, 75, 20_475],
  [10_237_501, 75, 40_950],
  [50_000_000, 75, 102_375],
  [50_000_000, 50, 102_250],
  [100, 1, 20_480],
])("a delta of %d users in batches of %d has parts of %d", (users, batchSize, expected) => {
  const size = partSize(users, batchSize);
  expect(size).toBe(expected);
  expect(Math.ceil(users / size)).toBeLessThanOrEqual(500);
});

async function keys(): Promise<string[]> {
  const found = [];
  for await (const key of world.storage.list(folder)) found.push(key);
  return found;
}
