import {
  isGrpcCancelledError,
  isGrpcDeadlineError,
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from "@temporalio/client";
import { ApplicationFailure, NamespaceNotFoundError } from "@temporalio/common";
import { CodedError, errorTable, isErrorCode, type ErrorCode } from "../contracts/errors.ts";
import { ClientError } from "./client-error.ts";

/** gRPC's numbers, so that its library need not be a dependency of ours. */
const grpc = { invalidArgument: 3, failedPrecondition: 9, unavailable: 14 } as const;

/**
 * Asks something that a worker answers, for `timeoutMs` at most. A refusal of the connector is thrown as `CodedError`, everything that
 * kept it from answering as `ClientError`; what is neither, as it came.
 */
export function askWorker<Answer>(
  client: Client,
  timeoutMs: number,
  question: () => Promise<Answer>,
): Promise<Answer> {
  return ask(client, timeoutMs, question, "worker_silent");
}

/** Asks something that Temporal answers by itself; errors as those of `askWorker`. */
export function askTemporal<Answer>(
  client: Client,
  timeoutMs: number,
  question: () => Promise<Answer>,
): Promise<Answer> {
  return ask(client, timeoutMs, question, "temporal_unreachable");
}

/** What Temporal answers for a workflow that took an update and was ended (terminated, reset) before it was done. */
const endedUnanswered = "AcceptedUpdateCompletedWorkflow";
/** And for one that was ended before it took the update. It was there: the start beside the update saw to that. */
const endedUntaken = /aborted by closing workflow/i;

type Silence = "worker_silent" | "temporal_unreachable";

async function ask<Answer>(
  client: Client,
  timeoutMs: number,
  question: () => Promise<Answer>,
  silence: Silence,
): Promise<Answer> {
  try {
    return await client.withDeadline(Date.now() + timeoutMs, question);
  } catch (error) {
    throw translated(error, new ClientError(silence, `within ${timeoutMs / 1000} s`, { cause: error }));
  }
}

function translated(error: unknown, silence: ClientError): unknown {
  if (error instanceof WorkflowUpdateFailedError) return refusal(error);
  const options = { cause: error };
  if (error instanceof WorkflowNotFoundError) return new CodedError("connector_not_found", "", options);
  if (error instanceof NamespaceNotFoundError) {
    return new ClientError("temporal_namespace_missing", error.namespace, options);
  }
  const { code, details, message } = serviceErrorIn(error);
  if (endedUntaken.test(message)) return ended(error);
  if (code === grpc.unavailable) return new ClientError("temporal_unreachable", "", options);
  if (code === grpc.invalidArgument && /search attribute/i.test(details)) {
    return new ClientError("search_attributes_missing", "", options);
  }
  const nobodyPolls = code === grpc.failedPrecondition && /no poller/i.test(details);
  return nobodyPolls || isGrpcDeadlineError(error) || isGrpcCancelledError(error) ? silence : error;
}

/** What the workflow or its activities said no to, with the code that they said it with. */
function refusal(error: WorkflowUpdateFailedError): unknown {
  const { cause } = error;
  if (cause instanceof ApplicationFailure && cause.type === endedUnanswered) {
    return ended(error);
  }
  if (!(cause instanceof ApplicationFailure) || !cause.type || !isErrorCode(cause.type)) return error;
  return codedError(cause.type, cause.message);
}

function ended(error: unknown): ClientError {
  return new ClientError("worker_silent", "its workflow was ended before it answered", { cause: error });
}

/** Undoes `errorMessage`, so that the new error has the same words once, not twice. */
export function codedError(code: ErrorCode, words: string): CodedError {
  const { message, remedy } = errorTable[code];
  const [head, tail] = [`${message} (`, `). ${remedy}`];
  const hasDetail = words.startsWith(head) && words.endsWith(tail);
  return new CodedError(code, hasDetail ? words.slice(head.length, -tail.length) : "");
}

function serviceErrorIn(error: unknown): { code?: number; details: string; message: string } {
  for (let link = error; link instanceof Error; link = link.cause) {
    if (isGrpcServiceError(link)) return link;
  }
  return { details: "", message: "" };
}
