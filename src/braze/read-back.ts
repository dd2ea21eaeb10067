import { setTimeout as delay } from "node:timers/promises";
import { CodedError, type ErrorCode } from "../contracts/errors.ts";
import type { Deadline } from "./deadline.ts";
import { exportBatchSizeUsers, type ShownAs } from "./export-ids.ts";

/** What Braze said of the users it was asked for, and why it was not asked for more. */
export interface ReadBack {
  shown: Map<string, ShownAs>;
  stoppedBy: ErrorCode | null;
}

interface ReadBackInput {
  userIds: readonly string[];
  /** Waits for the right to make one request, and makes it; see `Workspace`. */
  ask: (userIds: readonly string[]) => Promise<Map<string, ShownAs>>;
  deadline: Deadline;
  signal: AbortSignal;
}

/** Where a 429 does not say how long to wait. */
const pauseMs = 1000;

/**
 * Asks for users in requests of fifty, one after the other. A 429 is waited for as long as Braze asks and the deadline allows; any
 * other trouble ends it with what is known so far. It throws nothing but the signal's reason and what has no code.
 */
export async function readBack({ userIds, ask, deadline, signal }: ReadBackInput): Promise<ReadBack> {
  const shown = new Map<string, ShownAs>();
  for (let from = 0; from < userIds.length;) {
    signal.throwIfAborted();
    if (deadline.expired()) return { shown, stoppedBy: "braze_timeout" };
    try {
      const answer = await ask(userIds.slice(from, from + exportBatchSizeUsers));
      for (const [id, as] of answer) shown.set(id, as);
      from += exportBatchSizeUsers;
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      const waitMs = error.retryAfterMs ?? pauseMs;
      if (error.code !== "braze_rate_limited" || waitMs >= deadline.remainingMs()) {
        return { shown, stoppedBy: error.code };
      }
      await delay(waitMs, undefined, { signal });
    }
  }
  return { shown, stoppedBy: null };
}
