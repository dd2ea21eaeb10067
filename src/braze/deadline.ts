import type { Dispatcher } from "undici";
import { CodedError } from "../contracts/errors.ts";
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";

/** The moment after which an attempt writes nothing more to Braze. */
export interface Deadline {
  expired(): boolean;
  /** 0 once expired. */
  remainingMs(): number;
}

/**
 * A deadline `ms` from now. It is over as soon as either clock says so: a process that was stopped, or a machine that was
 * suspended or had its time set, must not believe that it is still early.
 */
export function createDeadline(ms: number, clock: Clock = systemClock): Deadline {
  const monotonicEnd = clock.monotonicMs() + ms;
  const wallEnd = clock.wallMs() + ms;
  const remainingMs = () =>
    Math.max(0, Math.min(monotonicEnd - clock.monotonicMs(), wallEnd - clock.wallMs()));
  return { remainingMs, expired: () => remainingMs() === 0 };
}

/** Dispatch options that carry the deadline which `writeDeadline` looks at. */
export interface DeadlineOptions extends Dispatcher.DispatchOptions {
  deadline?: Deadline;
}

/**
 * Refuses, with `part_time_over`, to write a request whose `deadline` is over. undici calls `onRequestStart` when the request
 * has its connection and before its first byte, so time spent in the pool's queue or connecting counts too.
 */
export const writeDeadline: Dispatcher.DispatcherComposeInterceptor =
  (dispatch) => (options: DeadlineOptions, handler) => {
    const { deadline } = options;
    return dispatch(options, deadline ? guarded(handler, deadline) : handler);
  };

function guarded(handler: Dispatcher.DispatchHandler, deadline: Deadline): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller, context) {
      // Thrown, not `controller.abort`: aborting would also destroy the connection, which nothing was written to.
      if (deadline.expired()) throw new CodedError("part_time_over");
      handler.onRequestStart?.(controller, context);
    },
    onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
    onResponseStart: (...args) => handler.onResponseStart?.(...args),
    onResponseData: (...args) => handler.onResponseData?.(...args),
    onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
    onResponseError: (...args) => handler.onResponseError?.(...args),
  };
}
