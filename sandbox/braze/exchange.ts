import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";
import { endpoints } from "./endpoints.ts";
import { faultOutcome } from "./fault-effects.ts";
import type { Outcome } from "./fault-effects.ts";
import type { KeyRing } from "./key-ring.ts";
import { readBody } from "./request-body.ts";
import { answerRest, presentedKey } from "./rest-request.ts";
import type { RestRequest } from "./rest-request.ts";

const MAX_UNKNOWN_BODY = 4 * 1024 * 1024;

/** Serves one request of Braze's API from its head to the end of its answer, faults and latency included. */
export function serveRest(ring: KeyRing, req: IncomingMessage, res: ServerResponse, path: string): void {
  const key = presentedKey(req);
  const workspace = ring.find(key)?.workspace;
  const endpoint = endpoints.get(path);
  const stats = workspace?.stats;
  if (stats !== undefined) {
    stats.begin();
    // Unknown paths are counted together, so that a scan of paths does not grow the table.
    const counted = endpoint === undefined ? "unknown" : path;
    res.on("close", () => stats.end(counted, res.writableFinished ? res.statusCode : "none"));
  }
  readBody(req, endpoint?.maxBytes ?? MAX_UNKNOWN_BODY, (body) => {
    const noted = body !== undefined && endpoint?.notesBodies === true && stats !== undefined;
    const digest = noted ? stats.noteBody(body) : "";
    const outcome = decide(ring, { req, path, key, body, digest });
    const delay = workspace?.settings.answerDelayMs ?? 0;
    if (delay === 0) perform(req, res, outcome);
    else setTimeout(() => perform(req, res, outcome), delay);
  });
}

function decide(ring: KeyRing, request: RestRequest): Outcome {
  const fault = ring.faults.strike(request.key, request.path, Date.now());
  if (fault === undefined) return { kind: "answer", answer: answerRest(ring, request) };
  return faultOutcome(fault, fault.applied ? answerRest(ring, request) : undefined);
}

function perform(req: IncomingMessage, res: ServerResponse, outcome: Outcome): void {
  switch (outcome.kind) {
    case "hang":
      return;
    case "reset":
      req.socket.resetAndDestroy();
      return;
    case "cut":
      writeHead(res, outcome.answer);
      res.write(outcome.answer.body.slice(0, Math.floor(outcome.answer.body.length / 2)));
      // The half answer must leave before the connection goes: a reset would let the kernel drop it.
      setImmediate(() => req.socket.end());
      return;
    case "answer":
      writeHead(res, outcome.answer);
      res.end(outcome.answer.body);
  }
}

function writeHead(res: ServerResponse, answer: Answer): void {
  res.sendDate = false;
  // Braze's headers come in lower case. Naming these two keeps Node from adding its own, capitalised.
  const length = String(Buffer.byteLength(answer.body));
  const head = ["content-type", answer.contentType, "content-length", length, "connection", "keep-alive"];
  for (const name in answer.headers) head.push(name, answer.headers[name] ?? "");
  res.writeHead(answer.status, head);
}
