import { STATUS_CODES } from "node:http";
import type { FastifyError } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { ClientError } from "../client.ts";
import { CodedError, errorTable } from "../contracts/errors.ts";

/** What SegOps' clients read: `{"detail"}`, or every field at fault with its reasons. */
export type ProblemBody = { detail: string } | Record<string, string[]>;

export interface Problem {
  status: number;
  body: ProblemBody;
  headers?: Record<string, string>;
}

/** Ends a request with an answer that is no success. */
export class HttpProblem extends Error implements Problem {
  readonly status: number;
  readonly body: ProblemBody;
  readonly headers: Record<string, string>;

  constructor(status: number, body: ProblemBody | string, headers: Record<string, string> = {}) {
    super(STATUS_CODES[status]);
    this.name = "HttpProblem";
    this.status = status;
    this.body = typeof body === "string" ? { detail: body } : body;
    this.headers = headers;
  }
}

export const notFoundWords =
  "Not found: this tenant has no connector of this id. GET /api/activations/ lists those that it has.";

/** How long a caller should wait before it asks again what could not be done now. */
const retryAfterSeconds = 5;

/** What passes by itself. */
export function unavailable(detail: string): HttpProblem {
  return new HttpProblem(503, detail, { "retry-after": String(retryAfterSeconds) });
}

/** The answer for whatever was thrown; undefined for what nobody expected, which is worth a line in the log. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof HttpProblem) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidRequest(error);
  if (error instanceof CodedError) return codedProblem(error);
  if (error instanceof ClientError) return clientProblem(error);
  if (isFastifyError(error)) return frameworkProblem(error);
  return undefined;
}

/** Fields by their own name, wherever they stand: `rest_endpoint`, not `config.rest_endpoint`. */
function invalidRequest(error: {
  validation: { instancePath: string; message?: string | undefined; params: Record<string, unknown> }[];
  validationContext?: string | undefined;
}): Problem {
  if (error.validationContext === "params") return { status: 404, body: { detail: notFoundWords } };
  const fields: Record<string, string[]> = {};
  for (const { instancePath, message = "is invalid", params } of error.validation) {
    const { keys } = params as { keys?: string[] };
    const path = instancePath.split("/").filter(Boolean);
    for (const field of keys ?? path.slice(-1)) (fields[field] ??= []).push(message);
    if (!keys && path.length === 0) return { status: 400, body: { detail: `The body ${message}.` } };
  }
  return { status: 400, body: fields };
}

/**
 * What a request says by itself was checked before; a configuration that is refused only now conflicts with what is stored, such as
 * a moved endpoint without its key.
 */
function codedProblem(error: CodedError): Problem {
  if (error.code === "config_invalid") return { status: 409, body: fieldsOf(error.detail) };
  if (error.code === "connector_not_found") return { status: 404, body: { detail: notFoundWords } };
  const { status } = errorTable[error.code];
  if (error.code === "connector_exists") {
    return {
      status,
      body: { segment: ["has a connector already: change that with PATCH, or delete it first"] },
    };
  }
  return status === 503 ? unavailable(error.message) : { status, body: { detail: error.message } };
}

/** Undoes `field: reason; field: reason`. */
function fieldsOf(detail: string): ProblemBody {
  const fields: Record<string, string[]> = {};
  for (const issue of detail.split(/; (?=[a-z_]+: )/)) {
    const [, field, reason] = /^([a-z_]+): (.*)$/s.exec(issue) ?? [];
    if (!field || !reason) return { detail };
    (fields[field] ??= []).push(reason);
  }
  return fields;
}

function clientProblem(error: ClientError): Problem {
  if (error.code === "worker_silent") {
    return unavailable(
      "No worker took this within 5 s. It may still be done once one runs: look at the connector first, or repeat the same request. " +
        "It is carried out once under its Idempotency-Key, and without one as the connector's next write at the same gateway.",
    );
  }
  if (error.status === 503) return unavailable(error.message);
  return { status: error.status, body: { detail: error.message } };
}

/** By code, in words of our own: the framework's quote the URL or the body, which may hold a secret or a user's id. */
const frameworkWords: Record<string, string> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE:
    "Unsupported media type in request: send the body as JSON, with Content-Type: application/json.",
  FST_ERR_CTP_BODY_TOO_LARGE: "The body is too large: at most 65536 bytes are taken.",
  FST_ERR_CTP_INVALID_JSON_BODY: "JSON parse error: the body is not valid JSON.",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "The body is not as long as Content-Length says.",
  FST_ERR_BAD_URL: "The address is not a valid URL: check its percent-encoding.",
  FST_ERR_ASYNC_CONSTRAINT: "The address is not a valid URL.",
};

function frameworkProblem({ code, statusCode = 500 }: FastifyError): Problem | undefined {
  if (statusCode >= 500) return undefined;
  return { status: statusCode, body: { detail: frameworkWords[code] ?? "The request could not be read." } };
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && "code" in error && "statusCode" in error;
}
