import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { Pool } from "undici";
import { describe, expect, test } from "vitest";
import { createDeadline, writeDeadline } from "../../../src/braze/deadline.ts";
import { exchange } from "../../../src/braze/exchange.ts";
import { failureOf } from "./failure-of.ts";
import { startLocalServer, success } from "./local-server.ts";

function steppedClock() {
  const clock = {
    monotonic: 5000,
    wall: 1_800_000_000_000,
    monotonicMs: () => clock.monotonic,
    wallMs: () => clock.wall,
  };
  return clock;
}

describe("a deadline", () => {
  test.each(["monotonic", "wall"] as const)("is over as soon as the %s clock alone says so", (which) => {
    const clock = steppedClock();
    const deadline = createDeadline(60_000, clock);
    clock[which] += 59_999;
    expect([deadline.expired(), deadline.remainingMs()]).toEqual([false, 1]);
    clock[which] += 1;
    expect([deadline.expired(), deadline.remainingMs()]).toEqual([true, 0]);
  });

  test("is not put off by a wall clock that is set back", () => {
    const clock = steppedClock();
    const deadline = createDeadline(60_000, clock);
    clock.wall -= 3_600_000;
    clock.monotonic += 60_000;
    expect(deadline.expired()).toBe(true);
  });
});

const post = { method: "POST", path: "/users/track", body: "late" } as const;

describe("at write time", () => {
  test("a request that waited in the queue until its deadline was over is never seen by the server, and the connection lives on", async () => {
    const stalled: (() => void)[] = [];
    const server = await startLocalServer((request, n, response) => {
      if (n > 0) return success(1);
      stalled.push(() => response.writeHead(201).end("{}"));
      return undefined;
    });
    const sockets = new Set<number>();
    const pool = new Pool(server.origin, { connections: 1, pipelining: 1 });
    pool.on("connect", () => sockets.add(sockets.size));
    const dispatcher = pool.compose(writeDeadline);
    const clock = steppedClock();
    const deadline = createDeadline(1000, clock);
    try {
      const first = exchange(dispatcher, { ...post, body: "first", deadline });
      await expect.poll(() => stalled.length).toBe(1);
      const late = failureOf(exchange(dispatcher, { ...post, deadline }));
      const after = exchange(dispatcher, { ...post, body: "after", deadline: createDeadline(60_000) });
      clock.wall += 1000;
      stalled[0]?.();
      await expect(first).resolves.toMatchObject({ status: 201 });
      expect(await late).toMatchObject({ code: "part_time_over" });
      await expect(after).resolves.toMatchObject({ status: 201 });
      expect(server.received.map(({ body }) => body)).toEqual(["first", "after"]);
      expect(sockets.size).toBe(1);
    } finally {
      await pool.destroy();
      await server.close();
    }
  });

  test("not one byte is written on a connection that took until after the deadline to open", async () => {
    const bytes: Buffer[] = [];
    const server = createServer((socket) => socket.on("data", (chunk) => bytes.push(chunk)));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const clock = steppedClock();
    const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 1 });
    pool.on("connect", () => (clock.monotonic += 1000));
    try {
      const late = exchange(pool.compose(writeDeadline), { ...post, deadline: createDeadline(1000, clock) });
      await expect(late).rejects.toMatchObject({ code: "part_time_over" });
    } finally {
      await pool.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
    expect(bytes).toEqual([]);
  });
});

describe("at the deadline", () => {
  test("a request that Braze has not answered is aborted, its connection with it, and its end is awaited", async () => {
    const closed: number[] = [];
    const server = await startLocalServer((_request, _n, response) => {
      response.on("close", () => closed.push(performance.now()));
      return undefined;
    });
    const pool = new Pool(server.origin, { connections: 1, pipelining: 1 });
    const startedAt = performance.now();
    try {
      const cut = exchange(pool.compose(writeDeadline), { ...post, deadline: createDeadline(300) });
      // Not `part_time_over`: that would say that nothing was ever written.
      await expect(cut).rejects.toMatchObject({ code: "braze_timeout" });
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(295);
      await expect.poll(() => closed.length).toBe(1);
      expect(performance.now() - startedAt).toBeLessThan(3000);
    } finally {
      await pool.destroy();
      await server.close();
    }
  });

  test("what of a request could not be written before is never written", async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket.pause()));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 1 });
    // More than the kernel's buffers hold, so that most of it waits for a reader in this process.
    const body = "x".repeat(64 * 1024 * 1024);
    let arrived = 0;
    try {
      const cut = exchange(pool.compose(writeDeadline), { ...post, body, deadline: createDeadline(300) });
      await expect(cut).rejects.toMatchObject({ code: "braze_timeout" });
      const [socket] = sockets;
      if (!socket) throw new Error("nobody connected");
      socket.on("data", (chunk: Buffer) => (arrived += chunk.length)).on("error", () => undefined);
      const ended = new Promise((resolve) => socket.once("close", resolve));
      socket.resume();
      await ended;
    } finally {
      await pool.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
    expect(arrived).toBeLessThan(body.length);
  });
});
