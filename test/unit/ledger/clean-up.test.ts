import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CodedError } from "../../../src/contracts/errors.ts";
import { commitKey, configKey, planKey } from "../../../src/contracts/log.ts";
import { cleanUp, findLeftovers } from "../../../src/ledger/clean-up.ts";
import { createLedgerFiles } from "../../../src/ledger/files.ts";
import { openScratch } from "../../../src/ledger/scratch.ts";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { anyAgedLog, dayMs, writeAgedLog } from "./aged-log.ts";
import type { AgedEntry, AgedLog, AgedRun } from "./aged-log.ts";
import { folder } from "./ledger-world.ts";

const key = { tenant_slug: "acme", segment_id: 7 };
const afterMs = 30 * dayMs;

let root: string;
let storage: Storage;
async function openNewFolder(): Promise<void> {
  root = await mkdtemp(join(tmpdir(), "clean-up-"));
  storage = await openStorage(`file:${join(root, "data")}`);
}
beforeEach(openNewFolder);
afterEach(() => rm(root, { recursive: true }));

function data(name: string): string {
  return join(root, "data", name);
}

/** Each random log in a folder of its own. */
async function forAnyLog(check: (log: AgedLog) => Promise<void>): Promise<void> {
  const property = fc.asyncProperty(anyAgedLog, async (aged) => {
    await rm(root, { recursive: true });
    await openNewFolder();
    await check(await writeAgedLog(data(""), aged));
  });
  await fc.assert(property, { numRuns: 20 });
}

/** What the issue says must stay, said once more: what a kept entry names. */
function isKept(log: AgedLog, { kind, number, atMs }: AgedEntry): boolean {
  if (kind === "config") return number > log.oldestConfig;
  const commits = log.entries.filter((entry) => entry.kind === "commit");
  const closed = commits.find((commit) => commit.number === number);
  if (!closed || log.nowMs - atMs < afterMs) return true;
  return commits.filter((commit) => commit.number > number).length < 10;
}

async function keysNow(): Promise<string[]> {
  const keys = [];
  for await (const found of storage.list("")) keys.push(found);
  return keys;
}

test(
  "after a clean-up every file that a kept entry names is there and proven, and nothing else was lost",
  { timeout: 60_000 },
  async () => {
    const scratch = await openScratch(tmpdir());
    let [gone, stayed] = [0, 0];
    await forAnyLog(async (log) => {
      const before = await keysNow();
      const result = await cleanUp(storage, key, { nowMs: log.nowMs, afterMs });
      const after = new Set(await keysNow());
      const kept = log.entries.filter((entry) => isKept(log, entry)).flatMap((entry) => entry.refs);
      await createLedgerFiles(storage, scratch).use(kept, async () => undefined);
      const deleted = before.filter((name) => !after.has(name));
      expect(result.files).toBe(deleted.length);
      for (const name of deleted) {
        const writtenMs = log.files.get(name) ?? Infinity;
        const since = log.entries.filter((entry) => entry.kind === "commit" && entry.atMs > writtenMs);
        expect([name, log.nowMs - writtenMs >= afterMs, since.length >= 10]).toEqual([name, true, true]);
      }
      gone += deleted.length;
      stayed += kept.length;
    });
    await scratch.close();
    expect(gone).toBeGreaterThan(100);
    expect(stayed).toBeGreaterThan(100);
  },
);

test(
  "whatever is two days and two runs past its time and no longer named does go",
  { timeout: 60_000 },
  async () => {
    let gone = 0;
    await forAnyLog(async (log) => {
      await cleanUp(storage, key, { nowMs: log.nowMs, afterMs });
      const after = new Set(await keysNow());
      const commits = log.entries.filter((entry) => entry.kind === "commit");
      const isLongPast = (atMs: number) =>
        log.nowMs - atMs > afterMs + 2 * dayMs && commits.filter((each) => each.atMs > atMs).length >= 12;
      for (const [name, atMs] of log.files) {
        const naming = log.entries.filter((entry) => entry.refs.some((ref) => ref.key === name));
        const isNeeded = naming.some((entry) => isKept(log, entry) || !isLongPast(entry.atMs));
        if (isNeeded || !isLongPast(atMs)) continue;
        expect([name, after.has(name)]).toEqual([name, false]);
        gone += 1;
      }
    });
    expect(gone).toBeGreaterThan(100);
  },
);

test(
  "a dry run deletes nothing, and lists exactly what the clean-up then deletes",
  { timeout: 60_000 },
  async () => {
    let listed = 0;
    await forAnyLog(async (log) => {
      const before = await keysNow();
      const leftovers = await findLeftovers(storage, key, { nowMs: log.nowMs, afterMs });
      expect(await keysNow()).toEqual(before);
      const { files, bytes } = await cleanUp(storage, key, { nowMs: log.nowMs, afterMs });
      const after = new Set(await keysNow());
      expect(leftovers.map((leftover) => leftover.key)).toEqual(before.filter((name) => !after.has(name)));
      expect({ files, bytes }).toEqual({
        files: leftovers.length,
        bytes: leftovers.reduce((sum, leftover) => sum + leftover.bytes, 0),
      });
      listed += files;
    });
    expect(listed).toBeGreaterThan(100);
  },
);

test(
  "a crash after any delete loses nothing, and the next clean-up ends as if there had been none",
  { timeout: 60_000 },
  async () => {
    let crashes = 0;
    await forAnyLog(async (log) => {
      const rule = { nowMs: log.nowMs, afterMs };
      const before = await keysNow();
      const leftovers = new Set((await findLeftovers(storage, key, rule)).map((leftover) => leftover.key));
      const deletes = Math.floor(leftovers.size / 2);
      const crash = await cleanUp(crashingAfter(deletes), key, rule).catch((error: unknown) => error);
      if (crash instanceof CodedError) crashes += 1;
      const left = await keysNow();
      expect(left).toHaveLength(before.length - deletes);
      expect(left.filter((name) => !leftovers.has(name))).toEqual(
        before.filter((name) => !leftovers.has(name)),
      );
      await cleanUp(storage, key, rule);
      expect(await keysNow()).toEqual(before.filter((name) => !leftovers.has(name)));
    });
    expect(crashes).toBeGreaterThan(5);
  },
);

function crashingAfter(deletes: number): Storage {
  let left = deletes;
  return {
    ...storage,
    delete: async (name) => {
      if (left-- === 0) throw new CodedError("storage_unavailable", "injected");
      await storage.delete(name);
    },
  };
}

const quietRun: AgedRun = {
  gapDays: 40,
  isPlanned: true,
  isMoved: true,
  parts: 1,
  isHeld: false,
  isVerified: false,
  orphans: 1,
  isApproved: false,
  isUnderNewestConfig: true,
};

test("age alone deletes nothing: of nine runs, however old, every file stays", async () => {
  const log = await writeAgedLog(data(""), {
    runs: Array.from({ length: 9 }, () => quietRun),
    isLastOpen: false,
  });
  expect(await findLeftovers(storage, key, { nowMs: log.nowMs, afterMs })).toEqual([]);
});

test("runs alone delete nothing: of a hundred runs in a day every file stays", async () => {
  const busy = Array.from({ length: 100 }, () => ({ ...quietRun, gapDays: 0.01 }));
  const log = await writeAgedLog(data(""), { runs: busy, isLastOpen: false });
  expect(await findLeftovers(storage, key, { nowMs: log.nowMs, afterMs })).toEqual([]);
});

test("what a run under way has written stays, however long ago, because nothing was closed since", async () => {
  const log = await writeAgedLog(data(""), {
    runs: Array.from({ length: 20 }, () => quietRun),
    isLastOpen: false,
  });
  const unnamed = `${folder}snapshots/in-flight.parquet`;
  await writeFile(data(unnamed), "not in any entry yet");
  const rule = { nowMs: log.nowMs + 400 * dayMs, afterMs };
  const leftovers = await findLeftovers(storage, key, rule);
  expect(leftovers.length).toBeGreaterThan(10);
  expect(leftovers.map((leftover) => leftover.key)).not.toContain(unnamed);
});

test.each([
  ["a kept commit", commitKey(folder, 20)],
  ["a kept plan", planKey(folder, 18)],
  ["an old settings entry", configKey(folder, 1)],
])("%s that cannot be read keeps everything: log_unreadable", async (_, damaged) => {
  const log = await writeAgedLog(data(""), {
    runs: Array.from({ length: 20 }, () => quietRun),
    isLastOpen: false,
  });
  const rule = { nowMs: log.nowMs, afterMs };
  expect((await findLeftovers(storage, key, rule)).length).toBeGreaterThan(0);
  await writeFile(data(damaged), "{");
  const before = await keysNow();
  await expect(cleanUp(storage, key, rule)).rejects.toMatchObject({
    code: "log_unreadable",
    detail: damaged,
  });
  expect(await keysNow()).toEqual(before);
});

test("a log with a hole among the newest runs keeps everything: log_unreadable", async () => {
  const log = await writeAgedLog(data(""), {
    runs: Array.from({ length: 20 }, () => quietRun),
    isLastOpen: false,
  });
  await storage.delete(commitKey(folder, 15));
  await expect(cleanUp(storage, key, { nowMs: log.nowMs, afterMs })).rejects.toMatchObject({
    code: "log_unreadable",
    detail: commitKey(folder, 15),
  });
});

test("a log that was restored from a backup is as young as its restoration", async () => {
  const log = await writeAgedLog(data(""), {
    runs: Array.from({ length: 20 }, () => quietRun),
    isLastOpen: false,
  });
  for (const name of await keysNow()) await utimes(data(name), log.nowMs / 1000, log.nowMs / 1000);
  expect(await findLeftovers(storage, key, { nowMs: log.nowMs, afterMs })).toEqual([]);
});

test("another connector's files are none of its business", async () => {
  const log = await writeAgedLog(data(""), {
    runs: Array.from({ length: 20 }, () => quietRun),
    isLastOpen: false,
  });
  const foreign = "connectors/acme/70/snapshots/old.parquet";
  await storage.putIfAbsent(foreign, "x");
  await utimes(data(foreign), 1, 1);
  await cleanUp(storage, key, { nowMs: log.nowMs, afterMs });
  expect(await keysNow()).toContain(foreign);
});
