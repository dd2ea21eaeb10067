import { Agent, request } from "undici";
import type { Dispatcher } from "undici";
import { CodedError } from "../contracts/errors.ts";
import type { ErrorCode } from "../contracts/errors.ts";
import type { Clock } from "./clock.ts";
import { parseRetryAfterMs, retrying, TransientFailure } from "./retry.ts";

interface HttpOptions {
  /** With `/api`, without a trailing slash. */
  baseUrl: string;
  keyFor: (tenant: string) => string | undefined;
  /** For connecting, for the head of an answer, and between two chunks of it. */
  requestTimeoutMs: number;
  retryForMs: number;
  clock: Clock;
}

interface ApiCall {
  method: "GET" | "POST";
  /** Below the base URL. It appears in messages, so it may name segments and exports but no user; the query never does. */
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  tenant: string;
  signal: AbortSignal;
  /** What a 404 means here. */
  notFound: ErrorCode;
}

export interface Http {
  baseUrl: string;
  /** `Authorization` of the tenant; `segops_key_missing` without a usable key. */
  authorization(tenant: string): string;
  /** One GET without retry or redirect; a broken connection is a `TransientFailure`. */
  open(what: string, url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Response>;
  /** One call of the API, with retries; answers its JSON. */
  json(call: ApiCall): Promise<unknown>;
  retry<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

type Response = Dispatcher.ResponseData;

export function createHttp({ baseUrl, keyFor, requestTimeoutMs, retryForMs, clock }: HttpOptions): Http {
  const dispatcher = new Agent({
    connect: { timeout: requestTimeoutMs },
    headersTimeout: requestTimeoutMs,
    bodyTimeout: requestTimeoutMs,
  });
  const authorization = (tenant: string) => {
    const key = keyFor(tenant);
    if (!key) throw new CodedError("segops_key_missing", `tenant ${tenant}`);
    if (/^[\x21-\x7e]+$/.test(key)) return `ApiKey ${key}`;
    throw new CodedError("segops_key_missing", `tenant ${tenant}: its key holds a space or a line break`);
  };
  const jsonOnce = async (call: ApiCall): Promise<unknown> => {
    const what = `${call.method} ${call.path}`;
    const url = new URL(`${baseUrl}${call.path}`);
    for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
    const answer = await request(url, {
      dispatcher,
      method: call.method,
      signal: call.signal,
      headers: {
        authorization: authorization(call.tenant),
        accept: "application/json",
        "user-agent": "segops-braze",
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
    });
    await refuseStatus(what, answer, call.notFound);
    return parseJson(what, await answer.body.arrayBuffer());
  };
  const retry = <T>(attempt: () => Promise<T>, signal: AbortSignal) =>
    retrying(attempt, { clock, signal, retryForMs });
  return {
    baseUrl,
    authorization,
    open: (what, url, headers, signal) =>
      overNetwork(what, signal, () => request(url, { dispatcher, headers, signal })),
    json: (call) =>
      retry(() => overNetwork(`${call.method} ${call.path}`, call.signal, () => jsonOnce(call)), call.signal),
    retry,
  };
}

/** Throws what a status other than 2xx means. */
export async function refuseStatus(what: string, answer: Response, notFound: ErrorCode): Promise<void> {
  const { statusCode: status, headers } = answer;
  if (status >= 200 && status < 300) return;
  await answer.body.dump();
  const detail = `${what}: HTTP ${status}`;
  if (status === 401 || status === 403) throw new CodedError("segops_key_rejected", detail);
  if (status === 404 || status === 410) throw new CodedError(notFound, detail);
  if (isTransientStatus(status))
    throw new TransientFailure(detail, parseRetryAfterMs(headers["retry-after"]));
  throw new CodedError("segops_unavailable", detail);
}

export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Invalid UTF-8 is refused, as a replaced character would make it another user's id. */
function parseJson(what: string, bytes: ArrayBuffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw new TransientFailure(`${what}: the answer is not JSON`);
    }
    throw error;
  }
}

/** Listed by name, because a full disk under a download has a code as well and no retry mends it. */
const networkCodes =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_\w+|ENET\w+|EHOST\w+|EADDRNOTAVAIL|EPROTO|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_(?!INVALID_ARG)\w+|HPE_\w+|ERR_SSL\w*|ERR_TLS\w*|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+)$/;

/** Runs one exchange; trouble of the network becomes a `TransientFailure` that carries its code alone. */
export async function overNetwork<T>(
  what: string,
  signal: AbortSignal,
  exchange: () => Promise<T>,
): Promise<T> {
  try {
    return await exchange();
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (networkCodes.test(code)) throw new TransientFailure(`${what}: ${code}`);
    throw error;
  }
}
