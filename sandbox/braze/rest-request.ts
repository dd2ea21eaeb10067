import type { IncomingMessage } from "node:http";
import { htmlAnswer, refusal } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { Endpoint } from "./call.ts";
import { endpoints } from "./endpoints.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import type { Grant, KeyRing } from "./key-ring.ts";
import { limitHeaders } from "./limits.ts";
import type { Verdict } from "./limits.ts";
import type { Workspace } from "./workspace.ts";

/** One request as it came in, with its body read. */
export interface RestRequest {
  req: IncomingMessage;
  path: string;
  key: string;
  /** undefined when it was over the endpoint's limit. */
  body: Buffer | undefined;
  digest: string;
}

const noQuota: Verdict = { described: undefined, refusedUntil: undefined };

/** Answers one request as Braze would: path, key, permission, quota, size, syntax, then the endpoint itself. */
export function answerRest(ring: KeyRing, request: RestRequest): Answer {
  const endpoint = endpoints.get(request.path);
  if (endpoint === undefined || endpoint.method !== request.req.method) return refusal(404, "Not Found");
  const grant = ring.find(request.key);
  // Braze echoes the key; clients have to keep it out of their logs.
  if (grant === undefined || grant.revoked) return refusal(401, `Invalid API key: ${request.key}`);
  if (!grant.permissions.has(endpoint.permission)) return refusal(403, "Access Denied");
  return withQuota(ring, request, endpoint, grant);
}

/** The key after `Bearer`, whatever that word's case; quotes are taken for part of the key. */
export function presentedKey(req: IncomingMessage): string {
  const header = req.headers.authorization ?? "";
  return header.slice(0, 7).toLowerCase() === "bearer " ? header.slice(7) : "";
}

function withQuota(ring: KeyRing, request: RestRequest, endpoint: Endpoint, grant: Grant): Answer {
  const { workspace } = grant;
  const { settings } = workspace;
  const now = Date.now();
  const verdict =
    endpoint.pool === undefined ? noQuota : ring.limiterOf(workspace).take(endpoint.pool, settings, now);
  const answer =
    verdict.refusedUntil === undefined ? process(request, endpoint, workspace, now) : limited(workspace);
  const rateHeaders = limitHeaders(verdict, settings.headerMode, now);
  return rateHeaders === undefined ? answer : { ...answer, headers: { ...rateHeaders, ...answer.headers } };
}

function limited(workspace: Workspace): Answer {
  const answer = refusal(429, "Rate limit exceeded");
  return workspace.settings.limitBody === "json" ? answer : { ...answer, body: "" };
}

function process(request: RestRequest, endpoint: Endpoint, workspace: Workspace, now: number): Answer {
  if (request.body === undefined) {
    const json = (endpoint.oversize ?? workspace.settings.oversizeAnswer) === "json400";
    return json ? refusal(400, "Bad Request") : htmlAnswer(413, "Request Entity Too Large");
  }
  const body = endpoint.method === "GET" ? {} : parse(request.req, request.body);
  if (body === undefined) return refusal(400, "Bad Request");
  return endpoint.handle({
    workspace,
    query: new URLSearchParams(request.req.url?.slice(request.path.length)),
    body,
    requestId: workspace.nextRequestId(),
    at: now,
    digest: request.digest,
    origin: `http://${request.req.headers.host ?? "127.0.0.1"}`,
  });
}

function parse(req: IncomingMessage, body: Buffer): JsonObject | undefined {
  if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(req.headers["content-type"] ?? "")) return undefined;
  try {
    const value: unknown = JSON.parse(body.toString());
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
