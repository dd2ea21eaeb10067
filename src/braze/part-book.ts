import type { FileRef } from "../contracts/log.ts";
import { doubtfulReject } from "../contracts/run.ts";
import type { PartProgress } from "../contracts/run.ts";
import type { UserRejection } from "./user-errors.ts";

/** Offsets in the part, by reason. */
export type RejectedOffsets = Record<string, number[]>;

/** Users `from` (included) to `to` (excluded) of a part. */
export interface Batch {
  from: number;
  to: number;
}

/**
 * What is settled of a part. The cursor moves over settled batches without a gap; what is settled ahead of it counts once the
 * gap closes, and is sent again by whoever resumes from here before that.
 */
export class PartBook {
  readonly #users: number;
  #cursor: number;
  #requests: number;
  #resent: number;
  /** Ends of the batches that were handed to the network and are not settled, by their start. */
  readonly #open = new Map<number, number>();
  /** Starts of those that Braze may have applied, whatever is answered next. */
  readonly #ambiguous = new Set<number>();
  /** Starts of those of which a request went unanswered: who is rejected when it is repeated may have been written by it. */
  readonly #unanswered = new Set<number>();
  /** Ends of the batches settled ahead of the cursor, by their start. */
  readonly #ahead = new Map<number, number>();
  /** By offset, so that a batch which is sent again cannot list a user twice. */
  readonly #inline = new Map<number, string>();
  #file: FileRef | null;
  #inFile: number;
  #shownInline: RejectedOffsets | undefined;
  readonly #attemptedBefore: number;
  /** No user at or past it can have been written by an earlier attempt. */
  readonly #doubtfulBefore: number;

  /** `afterLostAttempt`: what the attempt before this one sent after its last report is known to nobody. */
  constructor(users: number, progress: PartProgress, afterLostAttempt = false) {
    this.#users = users;
    this.#cursor = progress.cursor;
    this.#attemptedBefore = Math.max(progress.attempted, progress.cursor);
    this.#doubtfulBefore = afterLostAttempt ? users : this.#attemptedBefore;
    this.#requests = progress.requests;
    this.#resent = progress.resent;
    const offsets = Object.entries(progress.rejects.inline).flatMap(([code, list]) =>
      list.map((offset) => [offset, code] as const),
    );
    this.#file = progress.rejects.file;
    this.#inFile = progress.rejects.count - offsets.length;
    // Past the cursor a batch is sent again and its rejects are named anew.
    for (const [offset, code] of offsets) if (offset < this.#cursor) this.#inline.set(offset, code);
  }

  get cursor(): number {
    return this.#cursor;
  }

  get isDone(): boolean {
    return this.#cursor >= this.#users;
  }

  get inlineCount(): number {
    return this.#inline.size;
  }

  /** These users may from now on have been written in Braze. A half of a batch is already on record with it. */
  attempt({ from, to }: Batch): void {
    if (this.#openBatchOf(from) === undefined) this.#open.set(from, to);
  }

  /** What was answered, if anything, leaves it open whether Braze applied the batch that holds this user. */
  mayHaveApplied(offset: number): void {
    const start = this.#openBatchOf(offset);
    if (start !== undefined) this.#ambiguous.add(start);
  }

  /** A request for this user ended without an answer of Braze's. */
  wentUnanswered(offset: number): void {
    this.mayHaveApplied(offset);
    const start = this.#openBatchOf(offset);
    if (start !== undefined) this.#unanswered.add(start);
  }

  /** The batch is not sent again here. Unless one of its requests may have been applied, it was never written. */
  giveUp({ from }: Batch): void {
    if (!this.#ambiguous.has(from)) this.#open.delete(from);
  }

  #openBatchOf(offset: number): number | undefined {
    for (const [from, to] of this.#open) if (from <= offset && offset < to) return from;
    return undefined;
  }

  /** Counts a request that was written; one whose users were handed over before is also counted as sent again. */
  countRequest(from: number, isRetry: boolean): void {
    this.#requests++;
    if (isRetry || from < this.#attemptedBefore) this.#resent++;
  }

  settle({ from, to }: Batch, rejected: ReadonlyMap<number, UserRejection>): void {
    for (const [offset, code] of rejected) {
      const isDoubtful = offset < this.#doubtfulBefore || this.#unanswered.has(from);
      this.#inline.set(offset, isDoubtful ? `${doubtfulReject}${code}` : code);
    }
    if (rejected.size > 0) this.#shownInline = undefined;
    this.#open.delete(from);
    this.#ahead.set(from, to);
    for (let end = this.#ahead.get(this.#cursor); end !== undefined; end = this.#ahead.get(this.#cursor)) {
      this.#ahead.delete(this.#cursor);
      this.#cursor = end;
    }
  }

  /** The rejects that no resumption will name again, for a file. */
  settledInline(): RejectedOffsets {
    return byCode([...this.#inline].filter(([offset]) => offset < this.#cursor));
  }

  /** From now on `file` holds these rejects, and all that its predecessor held. */
  moveToFile(moved: RejectedOffsets, file: FileRef): void {
    for (const offset of Object.values(moved).flat()) {
      this.#inline.delete(offset);
      this.#inFile++;
    }
    this.#file = file;
    this.#shownInline = undefined;
  }

  get file(): FileRef | null {
    return this.#file;
  }

  progress(): PartProgress {
    this.#shownInline ??= byCode([...this.#inline]);
    return {
      cursor: this.#cursor,
      attempted: Math.max(
        this.#cursor,
        this.#attemptedBefore,
        ...this.#open.values(),
        ...this.#ahead.values(),
      ),
      rejects: { count: this.#inFile + this.#inline.size, inline: this.#shownInline, file: this.#file },
      requests: this.#requests,
      resent: this.#resent,
    };
  }
}

function byCode(rejects: [offset: number, code: string][]): RejectedOffsets {
  const offsets: RejectedOffsets = {};
  for (const [offset, code] of rejects.sort(([a], [b]) => a - b)) (offsets[code] ??= []).push(offset);
  return offsets;
}
