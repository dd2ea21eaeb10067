import { activityInfo, ApplicationFailure, CancelledFailure } from "@temporalio/activity";
import type { Logger } from "pino";
import { CodedError, errorMessage, errorTable } from "../contracts/errors.ts";
import { PartFailure } from "../braze/part-failure.ts";
import { stackFrames } from "../stack-frames.ts";

/**
 * Turns what an activity throws into what a workflow may match: the code as type, retried or not as the table says, a part's
 * progress as detail. Anything without a code is told only by its class: its own words may hold a user id.
 */
export function withCodedFailures<Input, Output>(
  log: Logger,
  activity: (input: Input) => Promise<Output>,
): (input: Input) => Promise<Output> {
  return async (input) => {
    try {
      return await activity(input);
    } catch (error) {
      throw asFailure(error, log);
    }
  };
}

function asFailure(error: unknown, log: Logger): Error {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  const { activityType, attempt, workflowExecution } = activityInfo();
  const about = { activity: activityType, attempt, workflow_id: workflowExecution?.workflowId };
  if (error instanceof CodedError) {
    log.warn({ ...about, code: error.code }, error.message);
    return withoutStack({
      type: error.code,
      message: error.message,
      nonRetryable: errorTable[error.code].kind !== "retry",
      nextRetryDelay: error.retryAfterMs,
      // What an attempt before this one sent after its last heartbeat is known to nobody: see `SentPart`.
      details: error instanceof PartFailure ? [error.progress, { isDoubtful: attempt > 1 }] : [],
    });
  }
  const name = error instanceof Error ? error.name : typeof error;
  log.error(
    { ...about, code: "unexpected", error: name, stack: stackFrames(error) },
    errorMessage("unexpected", name),
  );
  return withoutStack({ type: "unexpected", message: errorMessage("unexpected", name) });
}

/** Its stack would be this module's own each time, and write nothing but the installation's paths into histories. */
function withoutStack(options: Parameters<typeof ApplicationFailure.create>[0]): ApplicationFailure {
  const failure = ApplicationFailure.create(options);
  failure.stack = undefined;
  return failure;
}
