import type { JsonValue } from "./json.ts";

const MAX_ENTRIES = 5_000_000;

/** One accepted write of one attribute (or subscription group) of one user. Times in epoch ms. */
export interface RecordedWrite {
  seq: number;
  at: number;
  /** null while the write is accepted but not applied. */
  appliedAt: number | null;
  user: string;
  attribute: string;
  value: JsonValue;
  /** Number of the request in its workspace, from 1. */
  requestId: number;
}

/** What was accepted, in order of acceptance. Kept by columns and bounded: later writes are counted, not kept. */
export class WriteRecord {
  dropped = 0;
  readonly #users: string[] = [];
  readonly #attributes: string[] = [];
  readonly #values: JsonValue[] = [];
  readonly #requestIds: number[] = [];
  readonly #at: number[] = [];
  readonly #appliedAt: number[] = [];

  get length(): number {
    return this.#users.length;
  }

  add(user: string, attribute: string, value: JsonValue, requestId: number, at: number): void {
    if (this.#users.length >= MAX_ENTRIES) {
      this.dropped++;
      return;
    }
    this.#users.push(user);
    this.#attributes.push(attribute);
    this.#values.push(value);
    this.#requestIds.push(requestId);
    this.#at.push(at);
    this.#appliedAt.push(0);
  }

  /** Entries from `first` up to but not including `end` became visible. */
  markApplied(first: number, end: number, now: number): void {
    this.#appliedAt.fill(now, first, end);
  }

  *entries(user?: string): Generator<RecordedWrite> {
    for (let seq = 0; seq < this.#users.length; seq++) {
      if (user !== undefined && this.#users[seq] !== user) continue;
      yield {
        seq,
        at: this.#at[seq] ?? 0,
        appliedAt: this.#appliedAt[seq] || null,
        user: this.#users[seq] ?? "",
        attribute: this.#attributes[seq] ?? "",
        value: this.#values[seq] ?? null,
        requestId: this.#requestIds[seq] ?? 0,
      };
    }
  }
}
