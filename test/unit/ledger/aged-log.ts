import { createHash } from "node:crypto";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { commitKey, configKey, planKey } from "../../../src/contracts/log.ts";
import type { Commit, ConfigEntry, FileRef, LedgerRef, Plan } from "../../../src/contracts/log.ts";
import {
  newExceptionsKey,
  newHeldKey,
  newPartsFolder,
  newSnapshotKey,
} from "../../../src/ledger/file-keys.ts";
import { attribute, firstConfig, folder, planOf, restEndpoint } from "./ledger-world.ts";

export const dayMs = 86_400_000;

/** One run as years might have left it: when it was, what it wrote, what a person did after it. */
export interface AgedRun {
  /** Days until the next run, or until now. */
  gapDays: number;
  isPlanned: boolean;
  /** Its ledger stands on a snapshot of its own, or still on the one before. */
  isMoved: boolean;
  parts: number;
  isHeld: boolean;
  isVerified: boolean;
  /** Files of an attempt that died before it was in any entry. */
  orphans: number;
  /** What it held is approved after it. */
  isApproved: boolean;
  /** Its ledger goes by the newest settings, or still by those of before. */
  isUnderNewestConfig: boolean;
}

interface AgedRuns {
  runs: readonly AgedRun[];
  isLastOpen: boolean;
}

const anyAgedRun: fc.Arbitrary<AgedRun> = fc.record({
  gapDays: fc.constantFrom(0.01, 0.5, 1, 3, 12, 45),
  isPlanned: fc.boolean(),
  isMoved: fc.boolean(),
  parts: fc.nat(2),
  isHeld: fc.boolean(),
  isVerified: fc.boolean(),
  orphans: fc.nat(1),
  isApproved: fc.boolean(),
  isUnderNewestConfig: fc.boolean(),
});

export const anyAgedLog: fc.Arbitrary<AgedRuns> = fc.record({
  runs: fc.array(anyAgedRun, { minLength: 8, maxLength: 24, size: "max" }),
  isLastOpen: fc.boolean(),
});

/** An entry that the log holds, and what it names. */
export interface AgedEntry {
  kind: "plan" | "commit" | "config";
  number: number;
  atMs: number;
  refs: FileRef[];
}

export interface AgedLog {
  nowMs: number;
  entries: AgedEntry[];
  /** Every file outside the log, with its age. */
  files: Map<string, number>;
  /** The oldest settings that a channel's ledger goes by; approvals after them count. */
  oldestConfig: number;
}

/** Writes such a log, file by file, with the times that it would have had. */
export async function writeAgedLog(root: string, { runs, isLastOpen }: AgedRuns): Promise<AgedLog> {
  const nowMs = Date.now();
  const log: AgedLog = { nowMs, entries: [], files: new Map(), oldestConfig: 0 };
  let serial = 0;
  const write = async (key: string, atMs: number, content: string) => {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, key), content);
    await utimes(join(root, key), atMs / 1000, atMs / 1000);
  };
  const file = async (key: string, atMs: number): Promise<FileRef> => {
    const content = `content ${++serial}`;
    await write(key, atMs, content);
    log.files.set(key, atMs);
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { key, rows: 1, bytes: content.length, sha256 };
  };
  const enter = async (kind: AgedEntry["kind"], entry: Plan | Commit | ConfigEntry, refs: FileRef[]) => {
    const keyOf = { plan: planKey, commit: commitKey, config: configKey }[kind];
    const atMs = Date.parse(entry.at);
    await write(keyOf(folder, entry.number), atMs, JSON.stringify(entry));
    log.entries.push({ kind, number: entry.number, atMs, refs });
  };

  let configNumber = 1;
  let base: FileRef | null = null;
  let atMs = nowMs - runs.reduce((days, run) => days + run.gapDays, 0) * dayMs;
  await enter("config", { ...firstConfig, at: new Date(atMs - dayMs).toISOString() }, []);
  for (const [index, run] of runs.entries()) {
    const number = index + 1;
    const at = new Date(atMs).toISOString();
    // What a run writes is a little older than the entry that names it.
    const minutesBefore = (minutes: number) => atMs - minutes * 60_000;
    for (let left = run.orphans; left > 0; left--) {
      await file(`${newPartsFolder(folder, number)}entered-0001.parquet`, minutesBefore(4));
    }
    if (run.isMoved || !base) base = await file(newSnapshotKey(folder, at), minutesBefore(3));
    const held = run.isHeld ? await file(newHeldKey(folder, number), minutesBefore(2)) : null;
    const pending = held && {
      digest: held.sha256,
      users: 1,
      sets: [{ channel: attribute, file: held }],
    };
    if (run.isPlanned) {
      const parts = [];
      const partsFolder = newPartsFolder(folder, number);
      for (let part = 1; part <= run.parts; part++) {
        parts.push(await file(`${partsFolder}entered-000${part}.parquet`, minutesBefore(2)));
      }
      const channel = {
        channel: attribute,
        base: null,
        exceptions: null,
        target: "snapshot",
        kept: null,
      } as const;
      const deltas = [{ direction: "entered", users: run.parts, batch_size: 75, parts }] as const;
      const plan = planOf(number, base, [{ ...channel, held, deltas: [...deltas] }]);
      await enter("plan", { ...plan, at, pending_removal: pending }, [
        base,
        ...parts,
        ...(held ? [held] : []),
      ]);
    }
    if (!(isLastOpen && number === runs.length)) {
      const exceptions = await file(newExceptionsKey(folder, number), minutesBefore(1));
      if (run.isUnderNewestConfig || log.oldestConfig === 0) log.oldestConfig = configNumber;
      const verified = run.isVerified
        ? await file(`${folder}verified/${number}.json`, minutesBefore(1))
        : null;
      const commit = {
        ...commitOf(number, at, { base, exceptions, config_number: log.oldestConfig }),
        pending_removal: pending,
        // A field that only another release knows.
        ...(verified ? { verified: { found: [{ file: verified }] } } : {}),
      };
      const refs = [base, exceptions, ...[held, verified].filter((ref) => ref !== null)];
      await enter("commit", commit, refs);
    }
    if (run.isApproved && held) {
      const entry = { ...firstConfig, number: ++configNumber, at, change: "removal_approved" } as const;
      await enter("config", { ...entry, approved: pending }, [held]);
    }
    atMs += run.gapDays * dayMs;
  }
  return log;
}

function commitOf(
  number: number,
  at: string,
  ledger: Pick<LedgerRef, "base" | "exceptions" | "config_number">,
): Commit {
  const counts = { delivered: 1, rejected: 0, unknown: 0, waiting: 0 };
  const { workflow_id, run_id } = planOf(number, null, []);
  return {
    version: 1,
    kind: "commit",
    number,
    workflow_id,
    run_id,
    at,
    outcome: "clean",
    reason: "sync",
    config_number: ledger.config_number,
    recompute: null,
    dropped: null,
    channels: [{ channel: attribute, rest_endpoint: restEndpoint, counts, retry_at: null, ...ledger }],
    counts: { entered: 0, exited: 0, rejected: 0, unknown: 0, waiting: 0, requests: 1, resent: 0 },
    started_at: at,
    synced: null,
    error: null,
  };
}
