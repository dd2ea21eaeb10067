import { CodedError } from "../contracts/errors.ts";
import type { Clock } from "./clock.ts";

const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/** Trouble that time mends: 429, 5xx, a broken connection, an answer cut short. Its message names the call and the cause. */
export class TransientFailure extends Error {
  /** How long SegOps asked to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.name = "TransientFailure";
    this.retryAfterMs = retryAfterMs;
  }
}

interface RetryOptions {
  clock: Clock;
  signal: AbortSignal;
  /** No try begins later than this after the first. */
  retryForMs: number;
}

/**
 * Tries again after every `TransientFailure`: never before SegOps' `Retry-After`, nor before a pause that doubles from about
 * 1 s to 30 s. When the next try would begin too late: `segops_unavailable`. Any other error passes through.
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  { clock, signal, retryForMs }: RetryOptions,
): Promise<T> {
  const deadlineMs = clock.nowMs() + retryForMs;
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      const pauseMs = Math.max(error.retryAfterMs ?? 0, backoffMs(failures));
      if (clock.nowMs() + pauseMs > deadlineMs) {
        throw new CodedError("segops_unavailable", error.message, { retryAfterMs: error.retryAfterMs });
      }
      await clock.sleep(pauseMs, signal);
    }
  }
}

/** Half of it is random, so that workers that failed together do not come back together. */
function backoffMs(failures: number): number {
  const full = Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs);
  return full * (0.5 + Math.random() / 2);
}

/** Reads `Retry-After`, in seconds or as an HTTP date; undefined when there is none that can be read. */
export function parseRetryAfterMs(header: string | string[] | undefined): number | undefined {
  if (typeof header !== "string") return undefined;
  if (/^\d+(\.\d+)?$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
