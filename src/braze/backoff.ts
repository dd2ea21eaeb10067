import { CodedError, type ErrorCode } from "../contracts/errors.ts";

/** First and longest wait before a batch is sent again, where Braze does not say how long. */
const firstBackoffMs = 200;
const longestBackoffMs = 5000;

/** Trouble with one batch is waited out in place for so long; after that the worker's slot is better given up. */
export const patienceMs = 10_000;

/** Failures of one request that another try may mend. Pauses known to be long, deadlines and shutdown are not among them. */
const mendable: ReadonlySet<ErrorCode> = new Set([
  "braze_rate_limited",
  "braze_unavailable",
  "braze_unreachable",
  "braze_timeout",
  "braze_answer_unreadable",
]);

export function isMendable(code: ErrorCode): boolean {
  return mendable.has(code);
}

/** Answers by which Braze says that it took nothing of a request, and the one failure in which nothing was ever written. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  "braze_key_rejected",
  "braze_permission_missing",
  "braze_endpoint_not_found",
  "braze_redirected",
  "braze_request_refused",
  "braze_rate_limited",
  "part_time_over",
]);

/** Whether the failure leaves no doubt that Braze applied nothing. */
export function isRefusal(error: unknown): boolean {
  return error instanceof CodedError && refusals.has(error.code);
}

/** Full jitter: anywhere up to the doubling limit, so that batches which failed together do not return together. */
export function backoffMs(failures: number): number {
  return Math.random() * Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1));
}

/** Waits; rejects with the signal's reason as soon as it aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = setTimeout(end, ms);
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    }
    signal.addEventListener("abort", end, { once: true });
  });
}
