import { setMaxListeners } from "node:events";
import { CodedError } from "../contracts/errors.ts";
import { maxInlineRejects } from "../contracts/run.ts";
import type { FileRef } from "../contracts/log.ts";
import type { PartProgress, SentPart } from "../contracts/run.ts";
import { backoffMs, isMendable, isRefusal, patienceMs, pause } from "./backoff.ts";
import type { Deadline } from "./deadline.ts";
import { exchangeTimeoutMs } from "./exchange.ts";
import { PartBook } from "./part-book.ts";
import type { Batch, RejectedOffsets } from "./part-book.ts";
import { PartFailure, asCoded, graver } from "./part-failure.ts";
import type { BatchAnswer } from "./response.ts";
import { SameRejection } from "./same-rejection.ts";
import type { UserRejection } from "./user-errors.ts";

const defaultConcurrency = 8;

/** So long before the deadline nothing new is begun: what is in flight is cut off there, and is to be settled by then. */
function settlingMs(remainingMs: number): number {
  return Math.min(exchangeTimeoutMs, remainingMs / 4);
}

interface SendPartOptions {
  /** How many users the part has. */
  users: number;
  /** Batches end at multiples of it, whatever was sent before, so that a batch sent again has the same bytes. */
  batchSize: number;
  /** Where an earlier attempt stopped. */
  progress: PartProgress;
  /** What an earlier attempt sent after its last report is known to nobody. */
  afterLostAttempt?: boolean;
  /** Batches in flight at most; 8 by default. */
  concurrency?: number;
  /** Waits for the right to make one request. */
  acquire: (signal: AbortSignal) => Promise<void>;
  /** Makes one request for the users `from` to `to` (excluded) and reads its answer. */
  sendBatch: (from: number, to: number) => Promise<BatchAnswer>;
  deadline: Deadline;
  /** Aborts when the worker shuts down or the run is cancelled. */
  signal: AbortSignal;
  /** Told of each change, always before the request that makes it necessary. */
  report: (progress: PartProgress) => void;
  /** Writes a new file with these rejects and those of `previous`. */
  spill: (rejects: RejectedOffsets, previous: FileRef | null) => Promise<FileRef>;
}

/**
 * Sends one part, from `progress.cursor` on. Returns `done: false` when its time was over first: then nothing of it is on its
 * way any more, as what Braze had not answered by the deadline was cut off. Throws a `PartFailure`
 * that carries the progress: with `worker_stopping` on abort, with Braze's code on a refusal or where trouble outlasted 10 s.
 * In each case nothing new is begun and what is in flight is settled first.
 */
export function sendPart(options: SendPartOptions): Promise<SentPart> {
  return new PartSender(options).run();
}

/** The reason that waits inside a part end with once it is stopping; why it stops is told apart. */
const stopped = new Error("the part is stopping");

class PartSender {
  readonly #options: SendPartOptions;
  readonly #book: PartBook;
  readonly #stop = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #sameRejection = new SameRejection();
  #next: number;
  #spillFailed = false;
  #failure: CodedError | undefined;

  constructor(options: SendPartOptions) {
    this.#options = options;
    this.#book = new PartBook(options.users, options.progress, options.afterLostAttempt);
    this.#next = this.#book.cursor;
    // Each batch in flight may listen while it waits; more than ten are no leak here.
    setMaxListeners(0, this.#stop.signal);
  }

  async run(): Promise<SentPart> {
    const { signal, deadline } = this.#options;
    const stop = () => this.#stop.abort(stopped);
    const remainingMs = deadline.remainingMs();
    const timer = setTimeout(stop, remainingMs - settlingMs(remainingMs));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      await this.#sendAll();
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
    return this.#outcome();
  }

  async #sendAll(): Promise<void> {
    for (;;) {
      for (let batch = this.#nextBatch(); batch; batch = this.#nextBatch()) this.#begin(batch);
      if (this.#inFlight.size === 0) break;
      await Promise.race(this.#inFlight);
      if (this.#book.inlineCount > maxInlineRejects && !this.#spillFailed) await this.#spill();
    }
  }

  #outcome(): SentPart {
    // The next attempt counts on from the last report, and requests that failed have made none.
    this.#report();
    const progress = this.#book.progress();
    if (this.#failure) throw new PartFailure(this.#failure, progress);
    if (this.#book.isDone) return { progress, done: true };
    if (this.#options.signal.aborted) throw new PartFailure(new CodedError("worker_stopping"), progress);
    return { progress, done: false };
  }

  #nextBatch(): Batch | undefined {
    const { users, batchSize, concurrency = defaultConcurrency } = this.#options;
    if (this.#stop.signal.aborted) return undefined;
    if (this.#next >= users || this.#inFlight.size >= concurrency) return undefined;
    // All that is ahead of the cursor is sent again after a crash, so one slow batch may not let the others run far ahead.
    if (this.#next >= this.#book.cursor + 2 * concurrency * batchSize) return undefined;
    const from = this.#next;
    this.#next = Math.min(users, (Math.floor(from / batchSize) + 1) * batchSize);
    return { from, to: this.#next };
  }

  #begin(batch: Batch): void {
    const settling = this.#settle(batch)
      .catch((error: unknown) => this.#fail(batch, error))
      .finally(() => this.#inFlight.delete(settling));
    this.#inFlight.add(settling);
  }

  async #settle(batch: Batch): Promise<void> {
    const rejected = await this.#rejectedOf(batch);
    this.#book.settle(batch, rejected);
    this.#report();
    this.#sameRejection.check(batch.to - batch.from, rejected);
  }

  #fail(batch: Batch, error: unknown): void {
    this.#book.giveUp(batch);
    this.#stopFor(error);
  }

  #stopFor(error: unknown): void {
    this.#stop.abort(stopped);
    if (error === stopped) return;
    const coded = asCoded(error);
    if (coded.code === "part_time_over") return;
    this.#failure = graver(this.#failure, coded);
  }

  /** Whom Braze rejects in the batch; where it does not say, halves of it are sent until it does. */
  async #rejectedOf({ from, to }: Batch): Promise<Map<number, UserRejection>> {
    const answer = await this.#sendWithRetries({ from, to });
    if (answer.kind === "accepted") {
      return new Map(answer.rejected.map(({ index, code }) => [from + index, code]));
    }
    if (to - from === 1) return singleRejection(from, answer.code);
    this.#book.mayHaveApplied(from);
    const middle = from + Math.ceil((to - from) / 2);
    const left = await this.#rejectedOf({ from, to: middle });
    return new Map([...left, ...(await this.#rejectedOf({ from: middle, to }))]);
  }

  async #sendWithRetries({ from, to }: Batch): Promise<BatchAnswer> {
    let failures = 0;
    let patienceEnd = Number.POSITIVE_INFINITY;
    for (;;) {
      await this.#mayWrite({ from, to });
      try {
        return await this.#send({ from, to }, failures > 0);
      } catch (error) {
        if (!isRefusal(error)) this.#book.wentUnanswered(from);
        if (!(error instanceof CodedError) || !isMendable(error.code)) throw error;
        failures++;
        const now = performance.now();
        if (failures === 1) patienceEnd = now + patienceMs;
        const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs(failures));
        if (now + waitMs > patienceEnd) throw error;
        await pause(waitMs, this.#stop.signal);
      }
    }
  }

  /** Has the users on record as attempted before a byte about them can leave. */
  async #mayWrite(batch: Batch): Promise<void> {
    await this.#options.acquire(this.#stop.signal);
    if (this.#options.deadline.expired()) this.#stop.abort(stopped);
    this.#stop.signal.throwIfAborted();
    this.#book.attempt(batch);
    this.#report();
  }

  async #send({ from, to }: Batch, isRetry: boolean): Promise<BatchAnswer> {
    let written = true;
    try {
      return await this.#options.sendBatch(from, to);
    } catch (error) {
      written = !(error instanceof CodedError && error.code === "part_time_over");
      throw error;
    } finally {
      if (written) this.#book.countRequest(from, isRetry);
    }
  }

  async #spill(): Promise<void> {
    const moved = this.#book.settledInline();
    if (Object.keys(moved).length === 0) return;
    try {
      this.#book.moveToFile(moved, await this.#options.spill(moved, this.#book.file));
      this.#report();
    } catch (error) {
      this.#spillFailed = true;
      this.#stopFor(error);
    }
  }

  #report(): void {
    this.#options.report(this.#book.progress());
  }
}

function singleRejection(
  offset: number,
  code: UserRejection | "braze_request_refused",
): Map<number, UserRejection> {
  if (code !== "braze_request_refused") return new Map([[offset, code]]);
  throw new CodedError("braze_request_refused", "a request for a single user is too large for Braze");
}
