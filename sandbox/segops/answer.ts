import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { WireFault } from "./faults.ts";

interface FileBody {
  path: string;
  sizeBytes: number;
}

/** What a request is answered with; faults of the wire act on this, whatever the request was. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Text, a file's first bytes, or lines made as they are read (sent without a length). */
  body?: string | FileBody | Generator<string>;
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(value),
  };
}

export function detail(status: number, text: string, headers: Record<string, string> = {}): Answer {
  return json(status, { detail: text }, headers);
}

export const NOT_FOUND = detail(404, "Not found.");

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Writes the answer whole. */
export async function writeAnswer(response: ServerResponse, answer: Answer): Promise<void> {
  const { status, headers = {}, body = "" } = answer;
  if (typeof body === "string") {
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
  } else if ("path" in body) {
    response.writeHead(status, { ...headers, "content-length": body.sizeBytes });
    await pipeline(fileBytes(body), response);
  } else {
    response.writeHead(status, headers);
    await pipeline(Readable.from(body, { highWaterMark: 1 }), response);
  }
}

/** Announces the whole answer, sends half of it, cuts the connection. */
export async function writeTruncated(response: ServerResponse, answer: Answer): Promise<void> {
  const { status, headers = {}, body = "" } = answer;
  if (typeof body === "string") {
    const bytes = Buffer.from(body);
    response.writeHead(status, { ...headers, "content-length": bytes.length });
    response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  } else if ("path" in body) {
    response.writeHead(status, { ...headers, "content-length": body.sizeBytes });
    await pipeline(fileBytes({ ...body, sizeBytes: Math.floor(body.sizeBytes / 2) }), response, {
      end: false,
    });
    response.write("", () => response.destroy());
  } else {
    response.destroy();
  }
}

function fileBytes({ path, sizeBytes }: FileBody): Readable {
  return sizeBytes === 0 ? Readable.from([]) : createReadStream(path, { end: sizeBytes - 1 });
}

type ReplacingFault = Exclude<WireFault["kind"], "reset" | "hang" | "truncated">;

/** The answer that a fault gives in place of the true one. */
export function faultAnswer(kind: ReplacingFault, retryAfterSeconds: number | undefined): Answer {
  const retryAfter: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  const answers: Record<ReplacingFault, Answer> = {
    "500": detail(500, "Internal server error.", retryAfter),
    "503": detail(503, "Service temporarily unavailable, try again later.", retryAfter),
    "429": detail(429, "Request was throttled.", { "retry-after": String(retryAfterSeconds ?? 1) }),
    not_found: NOT_FOUND,
    empty: { status: 200, headers: { "content-type": "application/json" } },
    html: {
      status: 200,
      headers: { "content-type": "text/html; charset=utf-8" },
      body: "<!doctype html><html><body><h1>We will be right back</h1></body></html>",
    },
  };
  return answers[kind];
}
