import type { Dispatcher } from "undici";
import { CodedError } from "../contracts/errors.ts";
import type { Deadline, DeadlineOptions } from "./deadline.ts";
import type { HttpAnswer } from "./response.ts";
import { transportError } from "./transport-errors.ts";

/** Everything from the first byte written to the last byte read; undici's own limits start anew with each chunk. */
export const exchangeTimeoutMs = 10_000;

/**
 * Makes one request and reads the whole answer as text. Rejects with a `CodedError`: `braze_timeout` also where the
 * deadline cut the request off, so that what of it was not yet written never is.
 */
export function exchange(dispatcher: Dispatcher, options: DeadlineOptions): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(options, new AnswerCollector(resolve, reject, options.deadline));
  });
}

/** Collects an answer straight from the parser, without a stream per request. */
class AnswerCollector implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #deadline: Deadline | undefined;
  #timer: NodeJS.Timeout | undefined;
  #head: Pick<HttpAnswer, "status" | "headers"> = { status: 0, headers: {} };
  #chunks: Buffer[] = [];

  constructor(
    resolve: (answer: HttpAnswer) => void,
    reject: (error: unknown) => void,
    deadline: Deadline | undefined,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = deadline;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    clearTimeout(this.#timer);
    const leftMs = this.#deadline?.remainingMs() ?? Number.POSITIVE_INFINITY;
    const [afterMs, why] =
      leftMs < exchangeTimeoutMs
        ? [leftMs, "the part's time was over"]
        : [exchangeTimeoutMs, `${exchangeTimeoutMs / 1000} s`];
    this.#timer = setTimeout(() => controller.abort(new CodedError("braze_timeout", why)), afterMs);
  }

  onResponseStart(_: unknown, status: number, headers: HttpAnswer["headers"]): void {
    this.#head = { status, headers };
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer);
    this.#resolve({ ...this.#head, body: Buffer.concat(this.#chunks).toString("utf8") });
  }

  onResponseError(_: unknown, error: Error): void {
    clearTimeout(this.#timer);
    this.#reject(transportError(error));
  }
}
