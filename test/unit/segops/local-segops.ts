import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { createSegops } from "../../../src/segops/client.ts";
import type { Segops } from "../../../src/segops/client.ts";
import type { Clock } from "../../../src/segops/clock.ts";

/** A key that must never be seen outside an Authorization header. */
export const apiKey = "sk_live_0123456789abcdef";
export const segment7 = { tenant_slug: "acme", segment_id: 7 };

export interface SeenRequest {
  method: string;
  url: string;
  authorization: string | undefined;
  body: string;
}

/** Sends a JSON body, or whatever the script does with the response itself (then it returns undefined). */
export type Script = (request: SeenRequest, response: ServerResponse, nth: number) => unknown;

/** A server of its own for one test; `seen` grows with each request. */
export async function serve(script: Script): Promise<{ url: string; seen: SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const { method = "", url = "", headers } = request;
      seen.push({ method, url, authorization: headers.authorization, body });
      const answer = script(seen.at(-1)!, response, seen.length);
      if (answer === undefined) return;
      response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export function status(response: ServerResponse, code: number, headers: Record<string, string> = {}): void {
  response.writeHead(code, headers).end(`{"detail":"not for messages: ${apiKey}"}`);
}

/** A clock on which every pause is over at once, and that remembers them. */
export function quickClock(): Clock & { pausesMs: number[] } {
  const pausesMs: number[] = [];
  let nowMs = 0;
  return {
    pausesMs,
    nowMs: () => nowMs,
    sleep: (ms) => {
      pausesMs.push(ms);
      nowMs += ms;
      return Promise.resolve();
    },
  };
}

/** A clock whose pauses are a hundredth: for waiting on a server that needs real time. */
export function hastyClock(): Clock & { pausesMs: number[] } {
  const clock = quickClock();
  return {
    ...clock,
    sleep: async (ms, signal) => {
      await clock.sleep(ms, signal);
      await new Promise((resolve) => setTimeout(resolve, ms / 100));
    },
  };
}

export function segopsAt(url: string, clock: Clock = quickClock()): Segops {
  return createSegops({ baseUrl: `${url}/api`, keyFor: () => apiKey, requestTimeoutMs: 1_000, clock });
}

export const noSignal = new AbortController().signal;
