import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { faultSchema } from "./faults.ts";
import type { KeyRing } from "./key-ring.ts";
import { memberIds } from "./members.ts";
import { readBody } from "./request-body.ts";
import type { Workspace } from "./workspace.ts";
import { workspacePatchSchema } from "./workspace-settings.ts";

const MAX_BODY = 256 * 1024 * 1024;
const LINES_PER_CHUNK = 1_000;

/** What a control route answers: one JSON value, or a stream of values, one a line. */
type Reply = { json: object } | { lines: Iterable<unknown> };

interface Order {
  ring: KeyRing;
  query: URLSearchParams;
  body: unknown;
}

/** Tells the caller what was wrong with an order; the message is the answer's. */
class ControlError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const routes: Record<string, (order: Order) => Reply | Promise<Reply>> = {
  "POST /_control/workspaces": ({ ring, body }) => {
    const grant = ring.put(workspacePatchSchema.parse(body));
    if (grant === undefined) throw new ControlError(404, "sharesWorkspaceOf names an unknown key");
    const { workspace, permissions, revoked } = grant;
    return { json: { permissions: [...permissions], revoked, settings: workspace.settings } };
  },
  "POST /_control/faults": ({ ring, body }) => ({
    json: ring.faults.add(faultSchema.parse(body), Date.now()),
  }),
  "GET /_control/faults": ({ ring }) => ({ json: { faults: ring.faults.list() } }),
  "DELETE /_control/faults": ({ ring }) => {
    ring.faults.clear();
    return { json: { faults: [] } };
  },
  "GET /_control/stats": (order) => ({ json: statsOf(workspaceOf(order)) }),
  "GET /_control/members": (order) => ({ lines: memberIds(workspaceOf(order), order.query) }),
  "POST /_control/settle": async (order) => {
    const { queue } = workspaceOf(order);
    await queue.settle();
    return { json: { pending: queue.pendingObjects } };
  },
  "GET /_control/writes": (order) => ({
    lines: workspaceOf(order).writes.entries(order.query.get("user") ?? undefined),
  }),
  "GET /_control/request-bodies": (order) => ({ lines: workspaceOf(order).bodies }),
  "POST /_control/reset": (order) => {
    if (order.query.has("key")) workspaceOf(order).reset();
    else order.ring.clear();
    return { json: {} };
  },
};

/** Serves the control API: how tests steer the stand-in and look into it. */
export function serveControl(ring: KeyRing, req: IncomingMessage, res: ServerResponse, path: string): void {
  readBody(req, MAX_BODY, (bytes) => {
    void answer(ring, req, res, path, bytes);
  });
}

async function answer(
  ring: KeyRing,
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  bytes: Buffer | undefined,
): Promise<void> {
  try {
    const route = routes[`${req.method} ${path}`];
    if (route === undefined || bytes === undefined) throw new ControlError(404, "no such control route");
    const query = new URL(req.url ?? "/", "http://stand-in").searchParams;
    const body: unknown = bytes.length > 0 ? JSON.parse(bytes.toString()) : undefined;
    await write(res, await route({ ring, query, body }));
  } catch (error) {
    if (res.headersSent) res.destroy();
    else sendJson(res, statusOf(error), { message: messageOf(error) });
  }
}

async function write(res: ServerResponse, reply: Reply): Promise<void> {
  if ("json" in reply) {
    sendJson(res, 200, reply.json);
    return;
  }
  res.writeHead(200, { "content-type": "application/x-ndjson" });
  await pipeline(Readable.from(chunksOf(reply.lines)), res);
}

function sendJson(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify(body));
}

function* chunksOf(values: Iterable<unknown>): Generator<string> {
  let lines: string[] = [];
  for (const value of values) {
    lines.push(`${JSON.stringify(value)}\n`);
    if (lines.length < LINES_PER_CHUNK) continue;
    yield lines.join("");
    lines = [];
  }
  yield lines.join("");
}

function workspaceOf({ ring, query }: Order): Workspace {
  const grant = ring.find(query.get("key") ?? "");
  if (grant === undefined) throw new ControlError(404, "no workspace with this key");
  return grant.workspace;
}

function statsOf(workspace: Workspace): object {
  const { stats, queue, users, writes, bodies } = workspace;
  return {
    requests: stats.requests(),
    objectsAccepted: stats.objectsAccepted,
    objectsRejected: stats.objectsRejected,
    dataPoints: stats.dataPoints,
    pending: queue.pendingObjects,
    users: users.count,
    maxConcurrent: stats.maxConcurrent,
    duplicates: stats.duplicates,
    writesRecorded: writes.length,
    writesDropped: writes.dropped,
    bodiesRecorded: bodies.length,
  };
}

function statusOf(error: unknown): number {
  if (error instanceof ControlError) return error.status;
  return error instanceof z.ZodError || error instanceof SyntaxError ? 400 : 500;
}

function messageOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof Error ? error.message : String(error);
}
