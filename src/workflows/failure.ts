import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from "@temporalio/workflow";
import { errorMessage, isErrorCode } from "../contracts/errors.ts";
import type { RunError } from "../contracts/log.ts";
import type { PartProgress } from "../contracts/run.ts";

/** A failure as the log and the view tell it: code and words, already free of secrets where they were made. */
export function runErrorOf(error: unknown): RunError {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure && cause.type && isErrorCode(cause.type)) {
    return { code: cause.type, message: cause.message };
  }
  if (cause instanceof TimeoutFailure)
    return { code: "unexpected", message: errorMessage("unexpected", `timed out: ${cause.timeoutType}`) };
  return { code: "unexpected", message: errorMessage("unexpected") };
}

/** An activity's failure as an update's caller may match it: the code as type, not to be retried. */
export function refusal(error: unknown): ApplicationFailure {
  const { code, message } = runErrorOf(error);
  return ApplicationFailure.create({ type: code, message, nonRetryable: true });
}

/**
 * How far a part that failed had come. `reported`: the part itself said so as it ended, so that nothing past `attempted`
 * was sent, and no attempt was lost before it. Otherwise it is only the last heartbeat that arrived, and all the rest may have been sent.
 */
export function partProgressOf(error: unknown): { progress: PartProgress; reported: boolean } | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure || cause instanceof CancelledFailure) {
    const [progress, doubt] = cause.details ?? [];
    const isDoubtful = (doubt as { isDoubtful?: boolean } | undefined)?.isDoubtful === true;
    return isPartProgress(progress) ? { progress, reported: !isDoubtful } : undefined;
  }
  if (cause instanceof TimeoutFailure && isPartProgress(cause.lastHeartbeatDetails)) {
    return { progress: cause.lastHeartbeatDetails, reported: false };
  }
  return undefined;
}

/** Other failures carry other details, or none. */
function isPartProgress(details: unknown): details is PartProgress {
  return typeof details === "object" && details !== null && "cursor" in details && "rejects" in details;
}
