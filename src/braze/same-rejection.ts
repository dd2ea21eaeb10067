import { CodedError } from "../contracts/errors.ts";
import type { Batch } from "./part-book.ts";
import type { UserRejection } from "./user-errors.ts";

/** So many batches in a row without one taken user, and so many users, are no coincidence. */
const suspiciousBatches = 10;
const suspiciousUsers = 100;

/**
 * Tells a wrong configuration from bad users: it makes Braze reject everybody, for no reason that is the user's own. Better
 * to stop with an error that names it than to store a million rejects.
 */
export class SameRejection {
  #batches = 0;
  #users = 0;
  #first = Number.POSITIVE_INFINITY;

  /** Where the first of the users begins of whom the last check spoke: none of them is to be taken for rejected. */
  get firstOffset(): number {
    return this.#first;
  }

  /** Throws `braze_request_refused` after ten batches in a row that were rejected whole. */
  check({ from, to }: Batch, rejected: ReadonlyMap<number, UserRejection>): void {
    const users = to - from;
    const whole =
      rejected.size === users && [...rejected.values()].every((code) => code === "braze_user_rejected");
    this.#batches = whole ? this.#batches + 1 : 0;
    this.#users = whole ? this.#users + users : 0;
    this.#first = whole ? Math.min(this.#first, from) : Number.POSITIVE_INFINITY;
    if (this.#batches < suspiciousBatches || this.#users < suspiciousUsers) return;
    throw new CodedError("braze_request_refused", `${this.#batches} batches in a row were rejected whole`);
  }
}
