import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { NOT_FOUND, detail, faultAnswer, readBody, writeAnswer, writeTruncated } from "./answer.ts";
import { resolveApiRequest } from "./api-routes.ts";
import type { ResolvedRequest } from "./api-routes.ts";
import { answerControl } from "./control-routes.ts";
import { resolveFileRequest } from "./file-routes.ts";
import { SegopsState } from "./segops-state.ts";

interface SegopsAddress {
  port: number;
  host: string;
}

interface RunningSegops {
  /** Base of everything; SegOps' own API is below `${url}/api`. */
  url: string;
  close: () => Promise<void>;
}

/** Starts a SegOps stand-in and its file host (on a port of its own). Port 0 takes any free one. */
export async function startSegops({ port, host }: SegopsAddress): Promise<RunningSegops> {
  const state = await SegopsState.open();
  const api = serve((request, response) => answerRequest(state, request, response));
  const files = serve((request, response) => answerFileHost(state, request, response));
  const url = await listen(api, port, host);
  state.filesUrl = await listen(files, 0, host);
  return {
    url,
    close: async () => {
      await Promise.all([stop(api), stop(files)]);
      await state.close();
    },
  };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

function serve(handler: Handler): Server {
  // Longer than clients keep idle connections, so that a reset is always one that was asked for.
  return createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    handler(request, response).catch((error: unknown) => reportFailure(request, response, error));
  });
}

function reportFailure(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // A client that went away while it was answered is no failure of ours.
  if (request.socket.destroyed || response.headersSent) return void response.destroy();
  console.error("segops:", request.method, request.url, error);
  void writeAnswer(response, detail(500, String(error)));
}

async function listen(server: Server, port: number, host: string): Promise<string> {
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? "/", `http://${request.headers.host ?? "segops"}`);
}

async function answerRequest(
  state: SegopsState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = urlOf(request);
  const method = request.method ?? "GET";
  if (url.pathname.startsWith("/_control/")) {
    const body = async (): Promise<unknown> => JSON.parse((await readBody(request)) || "{}");
    await writeAnswer(response, await answerControl(state, { method, path: url.pathname, body }));
  } else if (url.pathname.startsWith("/_files/")) {
    const { authorization } = request.headers;
    await answerResolved(
      state,
      resolveFileRequest(state, { url, authorization, isFileHost: false }),
      response,
    );
  } else {
    const { authorization } = request.headers;
    const body = () => readBody(request);
    await answerResolved(state, resolveApiRequest(state, { method, url, authorization, body }), response);
  }
}

async function answerFileHost(
  state: SegopsState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = urlOf(request);
  const { authorization } = request.headers;
  const isFile = url.pathname.startsWith("/_files/");
  const resolved = isFile
    ? resolveFileRequest(state, { url, authorization, isFileHost: true })
    : { refusal: NOT_FOUND };
  await answerResolved(state, resolved, response);
}

/** Answers, unless a fault of the wire comes first; one that replaces the answer leaves the request undone. */
async function answerResolved(
  state: SegopsState,
  resolved: ResolvedRequest,
  response: ServerResponse,
): Promise<void> {
  if ("refusal" in resolved) return writeAnswer(response, resolved.refusal);
  const fault = state.faults.takeWire(resolved.target);
  if (!fault) return writeAnswer(response, await resolved.handle());
  switch (fault.kind) {
    case "truncated":
      return writeTruncated(response, await resolved.handle());
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "hang":
      return;
    default:
      return writeAnswer(response, faultAnswer(fault.kind, fault.retryAfterSeconds));
  }
}
