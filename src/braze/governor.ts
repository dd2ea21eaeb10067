import { CodedError } from "../contracts/errors.ts";
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { FairQueue } from "./fair-queue.ts";
import { Pace } from "./pace.ts";
import { retryAfterMs, spentWindowMs } from "./rate-headers.ts";
import type { HttpAnswer } from "./response.ts";

/** A longer wait is not worth a worker's slot: the caller comes back when it is over. */
const longestWaitInSlotMs = 10_000;

/** A connector that asked for a lower pace and was not heard of for so long is no longer sending. */
const ceilingForgottenAfterMs = 120_000;

interface Waiting {
  grant: () => void;
  refuse: (error: Error) => void;
}

/** Paces the requests of one process to one limit of one workspace, in turn between the connectors that wait. */
export interface Governor {
  /**
   * Resolves when the connector may make one request. Throws `braze_rate_limited` with `retryAfterMs` where that is known
   * to take over 10 s, and the signal's reason when it aborts first.
   */
  acquire(connectorId: string, signal: AbortSignal): Promise<void>;
  /** Learns from an answer: slower after a 429, silent for as long as Braze asks or until a spent window resets. */
  observe(answer: Pick<HttpAnswer, "status" | "headers">): void;
  /** Sets the ceiling; where connectors of one workspace ask for different ones, the lowest holds. */
  limitTo(requestsPerSecond: number): void;
}

export function createGovernor(requestsPerSecond: number, clock: Clock = systemClock): Governor {
  const pace = new Pace(requestsPerSecond, clock.monotonicMs());
  const waiting = new FairQueue<Waiting>();
  const ceilings = new Map([[requestsPerSecond, clock.monotonicMs()]]);
  let timer: NodeJS.Timeout | undefined;

  /** Grants all that is due at once: a timer's grain of a millisecond or more must not become the pace. */
  function serve(): void {
    clearTimeout(timer);
    timer = undefined;
    for (let due = pace.take(waiting.size, clock.monotonicMs()); due > 0; due--) waiting.shift()?.grant();
    if (waiting.size > 0) timer = setTimeout(serve, Math.ceil(pace.waitMs(1, clock.monotonicMs())));
  }

  function refuseAll(waitMs: number): void {
    for (let next = waiting.shift(); next; next = waiting.shift()) next.refuse(tooLong(waitMs));
  }

  return {
    async acquire(connectorId, signal) {
      signal.throwIfAborted();
      const waitMs = pace.waitMs(waiting.turnsUntilServed(connectorId), clock.monotonicMs());
      if (waitMs > longestWaitInSlotMs) throw tooLong(waitMs);
      await new Promise<void>((resolve, reject) => {
        const onAbort = () => {
          waiting.remove(connectorId, entry);
          reject(signal.reason as Error);
        };
        const settled = () => signal.removeEventListener("abort", onAbort);
        const entry: Waiting = {
          grant: () => (settled(), resolve()),
          refuse: (error) => (settled(), reject(error)),
        };
        signal.addEventListener("abort", onAbort, { once: true });
        waiting.push(connectorId, entry);
        serve();
      });
    },

    observe({ status, headers }) {
      const now = clock.monotonicMs();
      if (status === 429) pace.lower(now);
      const pauseMs = (status >= 400 ? retryAfterMs : spentWindowMs)(headers, clock.wallMs());
      if (pauseMs === undefined) return;
      pace.pause(pauseMs, now);
      const waitMs = pace.waitMs(1, now);
      if (waitMs > longestWaitInSlotMs) refuseAll(waitMs);
      serve();
    },

    limitTo(requestsPerSecond) {
      const now = clock.monotonicMs();
      ceilings.set(requestsPerSecond, now);
      for (const [ceiling, askedAt] of ceilings) {
        if (now - askedAt > ceilingForgottenAfterMs) ceilings.delete(ceiling);
      }
      pace.limitTo(Math.min(...ceilings.keys()), now);
    },
  };
}

function tooLong(waitMs: number): CodedError {
  const seconds = Math.ceil(waitMs / 1000);
  return new CodedError("braze_rate_limited", `the next request may go in ${seconds} s`, {
    retryAfterMs: Math.ceil(waitMs),
  });
}
