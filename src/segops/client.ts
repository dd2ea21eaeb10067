import type { ConnectorKey } from "../contracts/connector-id.ts";
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { exportSegment } from "./export.ts";
import type { ExportedFile } from "./export.ts";
import { createHttp } from "./http.ts";
import { walkMembers } from "./members.ts";
import { readSegment } from "./segment.ts";
import type { Segment } from "./segment.ts";

interface SegopsOptions {
  /** With `/api`, without a trailing slash. */
  baseUrl: string;
  /** The tenant's secret key, `sk_…`. */
  keyFor: (tenant: string) => string | undefined;
  /** 30 s: for connecting, for an answer to begin, and between two chunks of it. */
  requestTimeoutMs?: number;
  /** 5 min: how long one request is tried again while SegOps is unavailable. */
  retryForMs?: number;
  /** 2 s, as SegOps advises. */
  pollExportEveryMs?: number;
  /** 5 min: how long an export may stay unfinished. */
  exportPatienceMs?: number;
  clock?: Clock;
}

/**
 * SegOps as this service reads it. Every call may throw `segops_key_missing`, `segops_key_rejected` (401, 403) or, after its
 * retries, `segops_unavailable`; an aborted signal rejects with its reason. No message holds a key, a body or a user id.
 */
export interface Segops {
  segment(key: ConnectorKey, signal: AbortSignal): Promise<Segment>;
  /** Pages of user ids, as `walkMembers` says; `maxItems` ends a walk that would never end. */
  members(key: ConnectorKey, maxItems: number, signal: AbortSignal): AsyncIterable<readonly unknown[]>;
  /** Writes a new file in `directory`, which the caller removes. */
  exportTo(key: ConnectorKey, directory: string, signal: AbortSignal): Promise<ExportedFile>;
}

export function createSegops({
  baseUrl,
  keyFor,
  requestTimeoutMs = 30_000,
  retryForMs = 300_000,
  pollExportEveryMs = 2_000,
  exportPatienceMs = 300_000,
  clock = systemClock,
}: SegopsOptions): Segops {
  const http = createHttp({ baseUrl, keyFor, requestTimeoutMs, retryForMs, clock });
  const pace = { pollEveryMs: pollExportEveryMs, patienceMs: exportPatienceMs, clock };
  return {
    segment: (key, signal) => readSegment(http, key, signal),
    members: (key, maxItems, signal) => walkMembers(http, key, maxItems, signal),
    exportTo: (key, directory, signal) => exportSegment(http, key, directory, signal, pace),
  };
}
