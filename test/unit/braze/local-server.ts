import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  atMs: number;
}

interface LocalServer {
  origin: string;
  received: Received[];
  close(): Promise<void>;
}

/** What to answer the n-th request (from 0); nothing leaves it unanswered, for the test to end it or to let it hang. */
type Answer = (
  request: Received,
  n: number,
  response: ServerResponse,
) => { status: number; body?: unknown; headers?: Record<string, string> } | undefined;

/** An HTTP server on a free port that notes all it is sent. */
export async function startLocalServer(answer: Answer): Promise<LocalServer> {
  const received: Received[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      const request = { path: incoming.url ?? "", headers: incoming.headers, body, atMs: performance.now() };
      const reply = answer(request, received.push(request) - 1, response);
      if (!reply) return;
      const text = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body ?? {});
      response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Braze's answer when it takes everybody. */
export function success(processed: number): { status: number; body: unknown } {
  return { status: 201, body: { attributes_processed: processed, message: "success" } };
}

/** The external ids of a /users/track body, in order. */
export function idsIn(body: string): string[] {
  const { attributes } = JSON.parse(body) as { attributes: { external_id: string }[] };
  return attributes.map((object) => object.external_id);
}
