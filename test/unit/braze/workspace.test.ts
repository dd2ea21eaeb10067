import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createDeadline } from "../../../src/braze/deadline.ts";
import { trackRequest } from "../../../src/braze/track.ts";
import { createBraze } from "../../../src/braze/workspace.ts";
import type { Braze } from "../../../src/braze/workspace.ts";
import { failureOf } from "./failure-of.ts";
import { startLocalServer, success } from "./local-server.ts";

const apiKey = "b5a0c1d2-key-77aa-9f3e";
const request = trackRequest(["ann", "bob"], {
  attributeName: "vip",
  direction: "entered",
  exit_mode: "remove",
  create_missing_users: true,
});

let braze: Braze;
beforeEach(() => {
  braze = createBraze({ deliverWorkers: 1 });
});
afterEach(() => braze.close());

function open(endpoint: string, key = apiKey) {
  return braze.workspace({ endpoint, apiKey: key, requestsPerSecond: 1000 });
}

/** What a send came to, with the server closed afterwards whatever happened. */
async function sendFailure(answer: Parameters<typeof startLocalServer>[0], key = apiKey) {
  const server = await startLocalServer(answer);
  try {
    return await open(server.origin, key)
      .send(request, createDeadline(60_000))
      .then(
        () => undefined,
        (error: unknown) => error as Error & { code: string; cause?: unknown },
      );
  } finally {
    await server.close();
  }
}

test("a batch goes out as JSON with the key as a bearer token, and its answer is read", async () => {
  const server = await startLocalServer(() => success(2));
  await expect(open(server.origin).send(request, createDeadline(60_000))).resolves.toEqual({
    kind: "accepted",
    rejected: [],
  });
  expect(server.received).toMatchObject([
    {
      path: "/users/track",
      body: request.body,
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    },
  ]);
  await server.close();
});

test("the same endpoint and key share connections and pace, another key does not", () => {
  const one = open("http://127.0.0.1:1");
  expect(open("http://127.0.0.1:1")).toBe(one);
  expect(open("http://127.0.0.1:1", "other")).not.toBe(one);
});

describe("trouble on the way", () => {
  test("a refused connection is braze_unreachable", async () => {
    const server = await startLocalServer(() => success(2));
    await server.close();
    await expect(open(server.origin).send(request, createDeadline(60_000))).rejects.toMatchObject({
      code: "braze_unreachable",
      detail: "ECONNREFUSED",
    });
  });

  test("a connection reset before or during the answer is braze_unreachable", async () => {
    const before = await sendFailure((_, __, response) => void response.socket?.resetAndDestroy());
    expect(before).toMatchObject({ code: "braze_unreachable" });
    const during = await sendFailure((_, __, response) => {
      response.writeHead(201, { "content-length": "100" });
      response.write('{"attributes_processed": 2', () => response.socket?.destroy());
      return undefined;
    });
    expect(during).toMatchObject({ code: "braze_unreachable" });
  });

  test.each([
    ["begin", ""],
    ["end", '{"message":'],
  ])("an answer that does not %s within ten seconds is braze_timeout", async (_, opening) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const server = await startLocalServer((_request, _n, response) => {
      if (opening) response.writeHead(201).write(opening);
      return undefined;
    });
    try {
      const failure = failureOf(open(server.origin).send(request, createDeadline(60_000)));
      await expect.poll(() => server.received.length).toBe(1);
      vi.advanceTimersByTime(10_000);
      expect(await failure).toMatchObject({ code: "braze_timeout", detail: "10 s" });
    } finally {
      vi.useRealTimers();
      await server.close();
    }
  });

  test("a redirect is not followed", async () => {
    const target = await startLocalServer(() => success(2));
    const error = await sendFailure(() => ({ status: 307, headers: { location: target.origin } }));
    expect(error).toMatchObject({ code: "braze_redirected" });
    expect(target.received).toEqual([]);
    await target.close();
  });

  test("something that is not HTTP is braze_answer_unreadable", async () => {
    const error = await sendFailure((_, __, response) => void response.socket?.end("nonsense\r\n\r\n"));
    expect(error).toMatchObject({ code: "braze_answer_unreadable" });
  });

  test("an endless answer is cut off", async () => {
    const error = await sendFailure(() => ({ status: 201, body: "x".repeat(2_000_000) }));
    expect(error).toMatchObject({ code: "braze_answer_unreadable" });
  });

  test("the key that a 401 echoes is nowhere in the error", async () => {
    const error = await sendFailure(({ headers }) => ({
      status: 401,
      body: { message: `Invalid API key: ${headers.authorization?.slice(7)}` },
    }));
    expect(error).toMatchObject({ code: "braze_key_rejected" });
    expect([error?.message, error?.stack, String(error?.cause)].join()).not.toContain(apiKey);
  });

  test("a key that no header can carry is a rejected key, and is not shown", async () => {
    const error = await sendFailure(() => success(2), "bad\nkey-value");
    expect(error).toMatchObject({ code: "braze_key_rejected" });
    expect([error?.message, error?.stack, String(error?.cause)].join()).not.toContain("key-value");
  });

  test("a send after closing is refused as a worker that stops", async () => {
    const workspace = open("http://127.0.0.1:1");
    await braze.close();
    await expect(workspace.send(request, createDeadline(60_000))).rejects.toMatchObject({
      code: "worker_stopping",
    });
  });
});

test("with all connections stalled, a request whose deadline passes in the queue is never seen by the server", async () => {
  const stalled: (() => void)[] = [];
  const server = await startLocalServer((_, __, response) => {
    stalled.push(() => response.writeHead(201).end('{"message":"success"}'));
    return undefined;
  });
  const workspace = open(server.origin);
  const early = Array.from({ length: 128 }, () => workspace.send(request, createDeadline(60_000)));
  await expect.poll(() => stalled.length).toBe(128);
  const late = failureOf(workspace.send(request, createDeadline(30)));
  await new Promise((resolve) => setTimeout(resolve, 40));
  for (const finish of stalled) finish();
  await Promise.all(early);
  expect(await late).toMatchObject({ code: "part_time_over" });
  expect(server.received).toHaveLength(128);
  await server.close();
});

test("a 429 silences the workspace for all connectors, and only the limit that it came from", async () => {
  const server = await startLocalServer(() => ({
    status: 429,
    headers: { "x-ratelimit-retry-after": "60" },
  }));
  const workspace = open(server.origin);
  await expect(workspace.send(request, createDeadline(60_000))).rejects.toMatchObject({
    code: "braze_rate_limited",
  });
  const signal = new AbortController().signal;
  await expect(workspace.acquire("track", "another", signal)).rejects.toMatchObject({
    code: "braze_rate_limited",
  });
  await expect(workspace.acquire("subscription", "another", signal)).resolves.toBeUndefined();
  await server.close();
});
