import type { ErrorCode } from "../contracts/errors.ts";

/** What no waiting mends: the user stays an exception until somebody asks for a resync. */
const permanentReasons: ReadonlySet<string> = new Set<ErrorCode>(["braze_user_blocked", "braze_id_too_long"]);

const dayMs = 86_400_000;
const longestWaitDays = 7;
/** From so many rejections on, the wait is always the longest. */
export const lastDistinctAttempt = 4;

/**
 * When a rejected user may be tried again: after one day, doubling to seven; null where trying again is pointless.
 * `attempts` counts the rejections, this one included, from 1. Times are ISO 8601.
 */
export function retryAt(code: string, attempts: number, at: string): string | null {
  if (permanentReasons.has(code)) return null;
  const days = Math.min(2 ** (attempts - 1), longestWaitDays);
  return new Date(Date.parse(at) + days * dayMs).toISOString();
}
