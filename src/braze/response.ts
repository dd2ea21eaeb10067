import { z } from "zod";
import { CodedError } from "../contracts/errors.ts";
import type { ErrorCode } from "../contracts/errors.ts";
import { retryAfterMs } from "./rate-headers.ts";
import type { AnswerHeaders } from "./rate-headers.ts";
import { quoteBraze } from "./redaction.ts";
import { readUserErrors, unnamedRejection } from "./user-errors.ts";
import type { UserRejection } from "./user-errors.ts";

export interface HttpAnswer {
  status: number;
  headers: AnswerHeaders;
  body: string;
}

/** What became of one batch. */
export type BatchAnswer =
  /** Settled: all were taken but the rejected, who are named by their index in the batch. */
  | { kind: "accepted"; rejected: { index: number; code: UserRejection }[] }
  /** Braze did not say whom it means: smaller batches will. `code` holds once a single user is left. */
  | { kind: "split"; code: UserRejection | "braze_request_refused" };

/** The batch that an answer belongs to: for its size, and to keep its users and the key out of errors. */
interface AnsweredBatch {
  userIds: readonly string[];
  apiKey: string;
}

/** Other statuses are told apart by their hundred: 2xx accepted, 3xx redirected, 5xx unavailable, the rest refused. */
const codeByStatus: Readonly<Record<number, ErrorCode>> = {
  401: "braze_key_rejected",
  403: "braze_permission_missing",
  404: "braze_endpoint_not_found",
  408: "braze_timeout",
  429: "braze_rate_limited",
};

/** 400s that say something of the users, not of the request. Documented texts; any other 400 stops the run. */
const splitBy400: readonly (readonly [RegExp, UserRejection | "braze_request_refused"])[] = [
  [/max input length exceeded|the max number of .+ exceeded/i, "braze_request_refused"],
  [/^valid data must be provided/i, "braze_user_rejected"],
];

/** A maintenance answer says `queued`; all others that accept say `success`. */
const acceptingMessages = new Set(["success", "queued"]);

const bodySchema = z.looseObject({
  message: z.string().optional().catch(undefined),
  errors: z.unknown().optional(),
});

/**
 * Reads Braze's answer to one batch. Throws a `CodedError` for what says nothing of single users: retryable trouble, or a
 * refusal that stops the run. No error ever holds the key, a user's id or a body.
 */
export function readAnswer(answer: HttpAnswer, batch: AnsweredBatch, wallMs: number): BatchAnswer {
  const { status } = answer;
  if (status >= 200 && status < 300) return readAccepted(answer, batch);
  if (status === 400) return readRefused(answer, batch);
  if (status === 413) return { kind: "split", code: "braze_request_refused" };
  throw statusError(answer, wallMs);
}

/** A status that accepts nothing and says nothing of single users. */
export function statusError({ status, headers }: HttpAnswer, wallMs: number): CodedError {
  const code = codeByStatus[status] ?? codeOfHundred(status);
  return new CodedError(code, `HTTP ${status}`, { retryAfterMs: retryAfterMs(headers, wallMs) });
}

function codeOfHundred(status: number): ErrorCode {
  if (status >= 500) return "braze_unavailable";
  return status >= 300 && status < 400 ? "braze_redirected" : "braze_request_refused";
}

/** A 2xx is not success yet: users can be rejected inside it. */
function readAccepted({ status, body }: HttpAnswer, { userIds }: AnsweredBatch): BatchAnswer {
  const parsed = parseBody(body);
  if (!parsed) throw new CodedError("braze_answer_unreadable", `HTTP ${status}, not JSON`);
  const { byIndex, complete } = readUserErrors(parsed.errors, userIds.length);
  if (!complete) return { kind: "split", code: unnamedRejection(parsed.errors) };
  if (parsed.message !== undefined && !acceptingMessages.has(parsed.message.toLowerCase())) {
    throw new CodedError("braze_answer_unreadable", `HTTP ${status}, its message is not success`);
  }
  return accepted(byIndex);
}

/** A batch without a single valid user comes back as 400, its users named as in a 2xx. */
function readRefused({ status, body }: HttpAnswer, batch: AnsweredBatch): BatchAnswer {
  const parsed = parseBody(body);
  const { byIndex, complete } = readUserErrors(parsed?.errors, batch.userIds.length);
  if (complete && byIndex.size === batch.userIds.length) return accepted(byIndex);
  if (byIndex.size > 0) return { kind: "split", code: "braze_user_rejected" };
  const message = parsed?.message ?? "";
  const known = splitBy400.find(([pattern]) => pattern.test(message));
  if (known) return { kind: "split", code: known[1] };
  const quote = quoteBraze(message, batch);
  throw new CodedError("braze_request_refused", `HTTP ${status}${quote ? `: ${quote}` : ""}`);
}

function accepted(byIndex: Map<number, UserRejection>): BatchAnswer {
  return { kind: "accepted", rejected: [...byIndex].map(([index, code]) => ({ index, code })) };
}

function parseBody(body: string): z.infer<typeof bodySchema> | undefined {
  try {
    return bodySchema.safeParse(JSON.parse(body)).data;
  } catch (error) {
    // The parser's own message repeats the text, which may hold the key.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
