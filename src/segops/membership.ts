import { rm } from "node:fs/promises";
import type { ConnectorKey } from "../contracts/connector-id.ts";
import { CodedError } from "../contracts/errors.ts";
import type { Dropped } from "../contracts/log.ts";
import type { Segops } from "./client.ts";
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import type { ExportedFile } from "./export.ts";
import type { Segment } from "./segment.ts";
import { proveSnapshot, whyOlder } from "./snapshot-proof.ts";
import type { KnownTimes } from "./snapshot-proof.ts";

const firstPauseMs = 2_000;
const longestPauseMs = 30_000;

/** What a sink made of the members that it was given. */
export interface BuiltSnapshot {
  /** Distinct ids that can be sent. */
  rows: number;
  dropped: Dropped;
  /** Distinct strings received: the rows, and the empty and ill-formed ones that were dropped. */
  distinctReceived: number;
}

/** Takes one membership and makes a snapshot of it. One sink serves one attempt. */
export interface MembershipSink<Built extends BuiltSnapshot> {
  /** A page of ids as SegOps sent them: strings, if all is well. */
  addIds(items: readonly unknown[]): Promise<void> | void;
  /** The file stays until `finish` or `discard` is done. A file that cannot be read: `snapshot_unverified`, to be tried again. */
  addExport(path: string, format: ExportedFile["format"]): Promise<void>;
  finish(): Promise<Built>;
  /** Forgets everything, before `finish`, after it, or after either failed. */
  discard(): Promise<void>;
}

interface ReadMembershipOptions<Built extends BuiltSnapshot> extends KnownTimes {
  segops: Segops;
  key: ConnectorKey;
  sink: () => MembershipSink<Built>;
  /** Where exports are downloaded to; left as it was. */
  scratchDir: string;
  signal: AbortSignal;
  /** 10,000: up to so many members are paged, more are exported. */
  smallUpTo?: number;
  /** 5 min: no attempt begins later. */
  retryForMs?: number;
  clock?: Clock;
}

interface Membership<Built> {
  computedAt: string;
  memberCount: number;
  segmentName: string;
  built: Built;
  /** The sink's own: for when `built` was stored, or could not be. */
  discard: () => Promise<void>;
}

/**
 * Reads a segment's membership and answers it only if it is proven whole (`proveSnapshot`); otherwise it tries again with a
 * fresh sink, and after `retryForMs` throws `snapshot_unverified` with the check that failed last. `segment_not_computed`: never computed.
 * Errors of SegOps (`client.ts`) and of the sink pass through. Every sink whose snapshot is not answered is discarded.
 */
export async function readMembership<Built extends BuiltSnapshot>(
  options: ReadMembershipOptions<Built>,
): Promise<Membership<Built>> {
  const { signal, retryForMs = 300_000, clock = systemClock } = options;
  const deadlineMs = clock.nowMs() + retryForMs;
  for (let attempts = 1; ; attempts += 1) {
    const outcome = await readOnce(options);
    if (typeof outcome !== "string") return outcome;
    const pauseMs = Math.min(firstPauseMs * 2 ** (attempts - 1), longestPauseMs);
    if (clock.nowMs() + pauseMs > deadlineMs) {
      throw new CodedError("snapshot_unverified", `${outcome}; attempts: ${attempts}`);
    }
    await clock.sleep(pauseMs, signal);
  }
}

/** One attempt: the membership, or why it is not proven. */
async function readOnce<Built extends BuiltSnapshot>(
  options: ReadMembershipOptions<Built>,
): Promise<Membership<Built> | string> {
  const { segops, key, signal } = options;
  const before = await segops.segment(key, signal);
  if (before.computedAt === null) throw new CodedError("segment_not_computed");
  const older = whyOlder(before.computedAt, options);
  if (older !== undefined) return older;
  const sink = options.sink();
  let proven = false;
  let exported: ExportedFile | undefined;
  try {
    if (isSmall(before, options.smallUpTo)) {
      await addPages(sink, before.memberCount, options);
    } else {
      exported = await segops.exportTo(key, options.scratchDir, signal);
      await sink.addExport(exported.path, exported.format);
    }
    const after = await segops.segment(key, signal);
    const built = await sink.finish();
    const unproven = proveSnapshot({
      before,
      after,
      distinctReceived: built.distinctReceived,
      notStrings: built.dropped.not_string,
      notBefore: options.notBefore,
      ledgerComputedAt: options.ledgerComputedAt,
    });
    if (unproven !== undefined) return unproven;
    proven = true;
    const { name: segmentName, computedAt } = before;
    return {
      computedAt,
      memberCount: before.memberCount ?? built.distinctReceived,
      segmentName,
      built,
      discard: () => sink.discard(),
    };
  } catch (error) {
    if (error instanceof CodedError && error.code === "snapshot_unverified") return error.detail;
    throw error;
  } finally {
    if (!proven) await sink.discard();
    if (exported) await rm(exported.path, { force: true });
  }
}

/** A segment of unknown size is exported: a torn file shows itself, a torn walk only by its count. */
function isSmall(segment: Segment, smallUpTo = 10_000): segment is Segment & { memberCount: number } {
  return segment.memberCount !== null && segment.memberCount <= smallUpTo;
}

async function addPages<Built extends BuiltSnapshot>(
  sink: MembershipSink<Built>,
  memberCount: number,
  { segops, key, signal }: ReadMembershipOptions<Built>,
): Promise<void> {
  // Twice the count leaves room for a walk that a recompute tears; the rest, for short counts.
  const maxItems = memberCount * 2 + 10_000;
  for await (const page of segops.members(key, maxItems, signal)) await sink.addIds(page);
}
