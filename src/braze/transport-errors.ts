import { CodedError } from "../contracts/errors.ts";
import type { ErrorCode } from "../contracts/errors.ts";

/** undici's and Node's codes → ours. Every other code is a connection that was not made, or that broke. */
const codeByTransportCode: Readonly<Record<string, ErrorCode>> = {
  UND_ERR_HEADERS_TIMEOUT: "braze_timeout",
  UND_ERR_BODY_TIMEOUT: "braze_timeout",
  UND_ERR_RES_EXCEEDED_MAX_SIZE: "braze_answer_unreadable",
  UND_ERR_HEADERS_OVERFLOW: "braze_answer_unreadable",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "braze_answer_unreadable",
  // The only header of ours that can be invalid is the one with the key.
  UND_ERR_INVALID_ARG: "braze_key_rejected",
  UND_ERR_CLOSED: "worker_stopping",
  UND_ERR_DESTROYED: "worker_stopping",
};

/** What a request failed with, as a coded failure; an error without a code is a defect and stays as it is. */
export function transportError(error: unknown): unknown {
  if (error instanceof CodedError || !(error instanceof Error)) return error;
  // undici gives a parser's error no code where the bytes are no HTTP at all.
  if (error.name === "HTTPParserError") return new CodedError("braze_answer_unreadable", "not HTTP");
  const code: unknown = Reflect.get(error, "code");
  if (typeof code !== "string") return error;
  return new CodedError(codeByTransportCode[code] ?? "braze_unreachable", code);
}
