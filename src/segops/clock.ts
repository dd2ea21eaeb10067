import { setTimeout as sleepFor } from "node:timers/promises";

/** Time as the SegOps client sees it, so that a test can let minutes pass at once. */
export interface Clock {
  /** Monotonic milliseconds, from any start. */
  nowMs(): number;
  /** Rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  async sleep(ms, signal) {
    await sleepFor(ms, undefined, { signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
  },
};
