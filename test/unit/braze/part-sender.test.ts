import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createDeadline } from "../../../src/braze/deadline.ts";
import type { Deadline } from "../../../src/braze/deadline.ts";
import { PartFailure } from "../../../src/braze/part-failure.ts";
import { sendPart } from "../../../src/braze/part-sender.ts";
import { trackRequest } from "../../../src/braze/track.ts";
import { createBraze } from "../../../src/braze/workspace.ts";
import type { Braze } from "../../../src/braze/workspace.ts";
import { CodedError } from "../../../src/contracts/errors.ts";
import { maxInlineRejects, noProgress } from "../../../src/contracts/run.ts";
import type { PartProgress } from "../../../src/contracts/run.ts";
import type { FileRef } from "../../../src/contracts/log.ts";
import { failureOf } from "./failure-of.ts";
import { idsIn, startLocalServer, success } from "./local-server.ts";

const file: FileRef = { key: "rejects-1", rows: 0, bytes: 0, sha256: "0".repeat(64) };
const apiKey = "b5a0c1d2-key-77aa-9f3e";

let braze: Braze;
beforeEach(() => {
  braze = createBraze({ deliverWorkers: 1 });
});
afterEach(() => braze.close());

interface Sending {
  users?: number;
  batchSize?: number;
  concurrency?: number;
  progress?: PartProgress;
  afterLostAttempt?: boolean;
  deadline?: Deadline;
  signal?: AbortSignal;
  report?: (progress: PartProgress) => void;
  acquire?: (signal: AbortSignal) => Promise<void>;
  spill?: (rejects: Record<string, number[]>, previous: FileRef | null) => Promise<FileRef>;
}

/** Sends a part of users `user-0`, `user-1` … to a local server that answers as told. */
async function send(sending: Sending, answer: Parameters<typeof startLocalServer>[0]) {
  const { users = 20, batchSize = 5, deadline = createDeadline(60_000), ...rest } = sending;
  const server = await startLocalServer(answer);
  const workspace = braze.workspace({ endpoint: server.origin, apiKey, requestsPerSecond: 10_000 });
  const ids = Array.from({ length: users }, (_, offset) => `user-${offset}`);
  const write = {
    attributeName: "vip",
    direction: "entered",
    exit_mode: "remove",
    create_missing_users: true,
  } as const;
  const reports: PartProgress[] = [];
  const result = await sendPart({
    users,
    batchSize,
    progress: noProgress,
    acquire: (signal) => workspace.acquire("track", "acme/7", signal),
    sendBatch: (from, to) => workspace.send(trackRequest(ids.slice(from, to), write), deadline),
    deadline,
    signal: new AbortController().signal,
    report: (progress) => reports.push(progress),
    spill: () => Promise.resolve(file),
    ...rest,
  })
    .then((sent) => ({ ...sent, failure: undefined }))
    .catch((error: unknown) => {
      if (!(error instanceof PartFailure)) throw error;
      return { progress: error.progress, done: undefined, failure: error };
    });
  await server.close();
  return { ...result, received: server.received, reports };
}

const rejection = (index: number, type = "odd") => ({ index, input_array: "attributes", type });

/** Accepts everybody but these ids, whom it names. */
function rejecting(...refused: string[]) {
  return ({ body }: { body: string }) => {
    const ids = idsIn(body);
    const errors = ids.flatMap((id, index) => (refused.includes(id) ? [rejection(index)] : []));
    if (errors.length < ids.length) return { status: 201, body: { message: "success", errors } };
    return {
      status: 400,
      body: { message: "Valid data must be provided in the 'attributes' fields.", errors },
    };
  };
}

describe("a part", () => {
  test("takes one request per batch, whatever is left over in the last", async () => {
    const { progress, done, received } = await send({ users: 23, concurrency: 2 }, () => success(5));
    expect(done).toBe(true);
    expect(progress).toMatchObject({ cursor: 23, attempted: 23, requests: 5, resent: 0 });
    expect(received.map(({ body }) => idsIn(body).length).sort((a, b) => a - b)).toEqual([3, 5, 5, 5, 5]);
    expect(new Set(received.flatMap(({ body }) => idsIn(body))).size).toBe(23);
  });

  test("without users is done at once", async () => {
    const { done, received } = await send({ users: 0 }, () => success(0));
    expect([done, received.length]).toEqual([true, 0]);
  });

  test("resumes at its cursor, with the batches of the first attempt, and counts what is sent again", async () => {
    const progress = { ...noProgress, cursor: 5, attempted: 15, requests: 3 };
    const { progress: end, received } = await send({ progress, concurrency: 1 }, () => success(5));
    expect(received.map(({ body }) => idsIn(body)[0])).toEqual(["user-5", "user-10", "user-15"]);
    expect(end).toMatchObject({ cursor: 20, attempted: 20, requests: 6, resent: 2 });
  });

  test("has reported every user as attempted before the server sees him", async () => {
    const seen: PartProgress[] = [];
    const ahead: boolean[] = [];
    await send({ concurrency: 3, report: (progress) => seen.push(progress) }, ({ body }) => {
      const last = Number(idsIn(body).at(-1)?.slice("user-".length));
      ahead.push((seen.at(-1)?.attempted ?? 0) > last);
      return success(5);
    });
    expect(ahead).toEqual([true, true, true, true]);
  });

  test("moves its cursor over a gap only when the gap is settled, and never runs far ahead of it", async () => {
    const { reports, received } = await send({ users: 100, concurrency: 2 }, (_, n, response) => {
      if (n > 0) return success(5);
      setTimeout(() => response.writeHead(201).end('{"message":"success"}'), 100);
      return undefined;
    });
    const firstCursor = reports.find(({ cursor }) => cursor > 0);
    expect(firstCursor).toMatchObject({ cursor: 20, attempted: 20 });
    expect(received).toHaveLength(20);
  });
});

describe("a rejected user", () => {
  test("that Braze names is listed once, at his offset, and the rest are settled", async () => {
    const { progress, done } = await send({}, rejecting("user-7", "user-19"));
    expect(done).toBe(true);
    expect(progress.rejects).toEqual({ count: 2, inline: { braze_user_rejected: [7, 19] }, file: null });
    expect(progress.requests).toBe(4);
  });

  test("is listed once even when his batch is sent again after a crash", async () => {
    const rejects = { count: 2, inline: { braze_user_rejected: [2, 7] }, file: null };
    const crashed = { ...noProgress, cursor: 5, attempted: 20, rejects };
    const { progress } = await send({ progress: crashed }, rejecting("user-2", "user-7"));
    const inline = { braze_user_rejected: [2], "doubtful:braze_user_rejected": [7] };
    expect(progress.rejects).toEqual({ count: 2, inline, file: null });
  });

  test("whose batch had gone unanswered before is of unknown state, as Braze may have taken him then", async () => {
    const dropped = new Set<string>();
    const named = rejecting("user-2", "user-7");
    const { progress, done } = await send({}, ({ body }, _, response) => {
      if (!body.includes("user-7") || dropped.has(body)) return named({ body });
      dropped.add(body);
      response.destroy();
      return undefined;
    });
    expect(done).toBe(true);
    expect(progress.rejects).toEqual({
      count: 2,
      inline: { braze_user_rejected: [2], "doubtful:braze_user_rejected": [7] },
      file: null,
    });
  });

  test("after an attempt that was lost is of unknown state, wherever in the rest of the part", async () => {
    const { progress } = await send(
      { afterLostAttempt: true, progress: { ...noProgress, cursor: 5, attempted: 10 } },
      rejecting("user-19"),
    );
    expect(progress.rejects.inline).toEqual({ "doubtful:braze_user_rejected": [19] });
  });

  test("whose batch Braze refused whole before, or asked to wait with, keeps his former state", async () => {
    const { progress } = await send({ users: 5 }, ({ body }, n) =>
      n === 0 ? { status: 429, headers: { "x-ratelimit-retry-after": "0" } } : rejecting("user-2")({ body }),
    );
    expect(progress.rejects.inline).toEqual({ braze_user_rejected: [2] });
  });

  test("that is no longer rejected when his batch is sent again is not listed", async () => {
    const rejects = { count: 1, inline: { braze_user_rejected: [7] }, file: null };
    const { progress } = await send({ progress: { ...noProgress, cursor: 5, attempted: 10, rejects } }, () =>
      success(5),
    );
    expect(progress.rejects).toEqual({ count: 0, inline: {}, file: null });
  });

  test("in a batch that is rejected whole stops nothing", async () => {
    const { progress, done } = await send({}, rejecting("user-5", "user-6", "user-7", "user-8", "user-9"));
    expect([done, progress.rejects.inline]).toEqual([true, { braze_user_rejected: [5, 6, 7, 8, 9] }]);
  });

  test.each([
    ["an index out of range", [rejection(99)]],
    ["a sentence without an index", ["someone is wrong"]],
  ])("whom Braze reports by %s is found by halving the batch", async (_, errors) => {
    const { progress, done, received } = await send({ users: 8, batchSize: 8 }, ({ body }) => ({
      status: 201,
      body: { message: "success", errors: idsIn(body).includes("user-5") ? errors : [] },
    }));
    expect(done).toBe(true);
    expect(progress.rejects.inline).toEqual({ braze_user_rejected: [5] });
    expect(received.map(({ body }) => idsIn(body).length)).toEqual([8, 4, 4, 2, 1, 1, 2]);
    expect(progress).toMatchObject({ requests: 7, resent: 0 });
  });

  test("in a batch of his own is his, after one request, even when Braze names nobody", async () => {
    const { progress, done, received } = await send({ users: 1, batchSize: 5 }, () => ({
      status: 201,
      body: { message: "success", errors: ["someone is wrong"] },
    }));
    expect([done, received.length]).toEqual([true, 1]);
    expect(progress.rejects.inline).toEqual({ braze_user_rejected: [0] });
  });

  test("past a thousand goes to a file with those before, and count covers both", async () => {
    const users = 2600;
    const spills: { offsets: number[]; previous: FileRef | null }[] = [];
    const odd = ({ body }: { body: string }) =>
      rejecting(...idsIn(body).filter((id) => Number(id.slice(5)) % 50 !== 0))({ body });
    const { progress, reports } = await send(
      {
        users,
        batchSize: 50,
        spill: (rejects, previous) => {
          const offsets = Object.values(rejects).flat();
          const key = `rejects-${spills.push({ offsets, previous })}`;
          return Promise.resolve({ ...file, key, rows: offsets.length + (previous?.rows ?? 0) });
        },
      },
      odd,
    );
    const inline = Object.values(progress.rejects.inline).flat();
    expect(progress.rejects.count).toBe(users - users / 50);
    expect(progress.rejects.file?.rows).toBe(progress.rejects.count - inline.length);
    expect(inline.length).toBeLessThanOrEqual(maxInlineRejects);
    expect(new Set([...spills.flatMap(({ offsets }) => offsets), ...inline]).size).toBe(
      progress.rejects.count,
    );
    expect(spills.map(({ previous }) => previous?.key)).toEqual(
      spills.map((_, n) => (n === 0 ? undefined : `rejects-${n}`)),
    );
    // What a file holds is behind every later cursor: no resumption can name it again.
    for (const { cursor, rejects } of reports) {
      const filed = spills
        .slice(0, Number(rejects.file?.key.slice(8) ?? 0))
        .flatMap(({ offsets }) => offsets);
      expect(filed.every((offset) => offset < cursor)).toBe(true);
    }
  });

  test("everybody being rejected alike, batch after batch, is a wrong configuration and stops the part", async () => {
    const everybody = ({ body }: { body: string }) => rejecting(...idsIn(body))({ body });
    const { failure, progress } = await send({ users: 5000, batchSize: 50, concurrency: 2 }, everybody);
    expect(failure).toMatchObject({ code: "braze_request_refused" });
    expect(progress.cursor).toBeGreaterThanOrEqual(500);
    expect(progress.cursor).toBeLessThanOrEqual(600);
  });
});

describe("trouble", () => {
  test.each([
    ["429", { status: 429, headers: { "x-ratelimit-retry-after": "0" } }],
    ["503", { status: 503, body: "<html>" }],
    ["a truncated 201", { status: 201, body: '{"attributes_proc' }],
  ])("%s: the batch is sent again, byte for byte the same, and counted", async (_, trouble) => {
    const failed = new Set<string>();
    const { progress, done, received } = await send({}, ({ body }) => {
      if (body.includes("user-7") && failed.size === 0) return (failed.add(body), trouble);
      return success(5);
    });
    expect(done).toBe(true);
    expect(progress).toMatchObject({ cursor: 20, requests: 5, resent: 1 });
    expect(received.filter(({ body }) => failed.has(body))).toHaveLength(2);
  });

  test("a reset connection: the batch is sent again, byte for byte the same", async () => {
    const { progress, received } = await send({ users: 5 }, (_, n, response) =>
      n === 0 ? void response.socket?.resetAndDestroy() : success(5),
    );
    expect(received[1]?.body).toBe(received[0]?.body);
    expect(progress).toMatchObject({ cursor: 5, requests: 2, resent: 1 });
  });

  test("that ends the attempt has reported its requests too: the next attempt counts on from the last report", async () => {
    const { failure, progress, reports } = await send({ concurrency: 2 }, (_, n) =>
      n < 2 ? success(5) : { status: 429, headers: { "x-ratelimit-retry-after": "30" } },
    );
    expect(failure).toBeDefined();
    expect(progress.requests).toBeGreaterThan(2);
    expect(reports.at(-1)).toEqual(progress);
  });

  test("a 429 waits as long as Braze asks", async () => {
    const { received, done } = await send({ users: 5 }, (_, n) =>
      n === 0 ? { status: 429, headers: { "x-ratelimit-retry-after": "1" } } : success(5),
    );
    expect(done).toBe(true);
    const waitedMs = (received[1]?.atMs ?? 0) - (received[0]?.atMs ?? 0);
    expect(waitedMs).toBeGreaterThanOrEqual(995);
    expect(waitedMs).toBeLessThan(2500);
  });

  test("a wait of over ten seconds is handed to the caller at once, with the progress", async () => {
    const { failure, progress } = await send({ concurrency: 1 }, (_, n) =>
      n < 2 ? success(5) : { status: 429, headers: { "x-ratelimit-retry-after": "30" } },
    );
    expect(failure).toMatchObject({ code: "braze_rate_limited", retryAfterMs: 30_000 });
    expect(progress).toMatchObject({ cursor: 10, attempted: 10, requests: 3 });
  });

  test("that lasts ten seconds is handed to the caller", async () => {
    vi.useFakeTimers();
    try {
      let tries = 0;
      const sending = sendPart({
        users: 5,
        batchSize: 5,
        progress: noProgress,
        acquire: () => Promise.resolve(),
        sendBatch: () => Promise.reject((tries++, new CodedError("braze_unavailable", "HTTP 503"))),
        deadline: createDeadline(60_000),
        signal: new AbortController().signal,
        report: () => {},
        spill: () => Promise.resolve(file),
      });
      const end = failureOf(sending);
      const startedAt = performance.now();
      await vi.advanceTimersByTimeAsync(20_000);
      expect(await end).toMatchObject({
        code: "braze_unavailable",
        progress: { cursor: 0, requests: tries },
      });
      expect(performance.now() - startedAt).toBe(20_000);
      expect(tries).toBeGreaterThan(4);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a refusal stops new batches, settles what is in flight, and carries the progress", async () => {
    let release: (() => void) | undefined;
    const { failure, progress, received } = await send({ users: 500, concurrency: 3 }, (_, n, response) => {
      if (n === 0) {
        release = () => response.writeHead(201).end('{"message":"success"}');
        return undefined;
      }
      setTimeout(() => [release?.(), (release = undefined)], 50);
      return { status: 401, body: { message: `Invalid API key: ${apiKey}` } };
    });
    expect(failure).toMatchObject({ code: "braze_key_rejected" });
    expect(String(failure) + failure?.stack).not.toContain(apiKey);
    expect(received.length).toBeLessThanOrEqual(3);
    expect(progress.cursor).toBe(5);
    expect(progress.requests).toBe(received.length);
    // Braze said that it took nothing of the others: their users are not unknown.
    expect(progress.attempted).toBe(5);
  });

  test("a batch that was refused after it had gone unanswered once stays on record as attempted", async () => {
    const { failure, progress } = await send({ users: 20, concurrency: 1 }, (_, n, response) => {
      if (n === 1) {
        response.destroy();
        return undefined;
      }
      return n === 0
        ? { status: 201, body: { message: "success" } }
        : { status: 401, body: { message: "no" } };
    });
    expect(failure).toMatchObject({ code: "braze_key_rejected" });
    expect(progress).toMatchObject({ cursor: 5, attempted: 10 });
  });

  test("a failing spill is told and loses no reject", async () => {
    const odd = ({ body }: { body: string }) =>
      rejecting(...idsIn(body).filter((id) => Number(id.slice(5)) % 50 !== 0))({ body });
    const spill = () => Promise.reject(new CodedError("storage_unavailable"));
    const { failure, progress } = await send({ users: 5000, batchSize: 50, concurrency: 2, spill }, odd);
    expect(failure).toMatchObject({ code: "storage_unavailable" });
    expect(progress.rejects.inline["braze_user_rejected"]).toHaveLength((progress.cursor / 50) * 49);
  });
});

describe("an end before the end", () => {
  test("an abort begins nothing new, settles what is in flight and ends with worker_stopping", async () => {
    const stop = new AbortController();
    const { failure, progress, received } = await send(
      { users: 500, concurrency: 2, signal: stop.signal },
      (_, n, response) => {
        if (n < 4) return success(5);
        stop.abort();
        setTimeout(() => response.writeHead(201).end('{"message":"success"}'), 50);
        return undefined;
      },
    );
    expect(failure).toMatchObject({ code: "worker_stopping" });
    expect(received.length).toBeLessThanOrEqual(6);
    expect(progress).toMatchObject({ cursor: received.length * 5, attempted: received.length * 5 });
  });

  test("an abort does not wait for the next try of a batch in trouble", async () => {
    const stop = new AbortController();
    const startedAt = performance.now();
    const { failure } = await send({ users: 5, signal: stop.signal }, () => {
      setTimeout(() => stop.abort(), 20);
      return { status: 429, headers: { "x-ratelimit-retry-after": "9" } };
    });
    expect(failure).toMatchObject({ code: "worker_stopping" });
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test("a part whose time is over returns how far it came, and writes nothing after", async () => {
    let over = false;
    const deadline: Deadline = { expired: () => over, remainingMs: () => (over ? 0 : 60_000) };
    const { done, progress, received } = await send({ users: 500, concurrency: 2, deadline }, (_, n) => {
      if (n === 3) over = true;
      return success(5);
    });
    expect(done).toBe(false);
    expect(received.length).toBeLessThanOrEqual(5);
    expect(progress.cursor).toBe(received.length * 5);
  });

  test("what Braze has not answered when the time is over is cut off, and on record as attempted", async () => {
    const startedAt = performance.now();
    const { done, progress, received } = await send(
      { users: 500, concurrency: 2, deadline: createDeadline(400) },
      (_, n) => (n < 4 ? success(5) : undefined),
    );
    expect(done).toBe(false);
    expect(received).toHaveLength(6);
    expect(progress).toMatchObject({ cursor: 20, attempted: 30, requests: 6 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(395);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  test("a part begins nothing in the last quarter of its time, so that what is in flight can settle", async () => {
    const startedAt = performance.now();
    const { done, progress, received } = await send(
      { users: 5000, concurrency: 2, deadline: createDeadline(1000) },
      (_, _n, response) => {
        setTimeout(() => response.writeHead(201).end('{"message":"success"}'), 50);
        return undefined;
      },
    );
    expect(done).toBe(false);
    const lastAtMs = Math.max(...received.map(({ atMs }) => atMs)) - startedAt;
    expect(lastAtMs).toBeLessThan(900);
    // All of it was answered: nobody is unknown, nothing is sent again.
    expect(progress).toMatchObject({ cursor: received.length * 5, attempted: received.length * 5 });
  });

  test("users whose turn comes after the time is over are not on record as attempted", async () => {
    let over = false;
    let turns = 0;
    const { done, progress } = await send(
      {
        concurrency: 1,
        deadline: { expired: () => over, remainingMs: () => 60_000 },
        acquire: () => Promise.resolve(void (over = turns++ === 2)),
      },
      () => success(5),
    );
    expect(done).toBe(false);
    expect(progress).toMatchObject({ cursor: 10, attempted: 10, requests: 2 });
  });

  test("a part that has been sent whole is done, even when it was told to stop meanwhile", async () => {
    const stop = new AbortController();
    const { done } = await send({ users: 5, signal: stop.signal }, () => (stop.abort(), success(5)));
    expect(done).toBe(true);
  });
});
