import { LostUpdateJournal } from "./lost-update.ts";
import { seededRandom, shuffled } from "./seeded-random.ts";
import type { WorkspaceSettings } from "./workspace-settings.ts";

/** One accepted request whose changes are not visible yet. */
export interface PendingChange {
  acceptedAt: number;
  objects: number;
  apply(journal: LostUpdateJournal | undefined): void;
}

type Timing = Pick<WorkspaceSettings, "applyDelayMs" | "applyOrder" | "applySeed" | "lostUpdate">;

/**
 * Accepted is not applied: changes wait here for the workspace's delay. In order they become visible one by one; in
 * the chaos modes everything that waits becomes visible together when the oldest is due, in another order.
 */
export class ApplyQueue {
  #waiting: PendingChange[] = [];
  #head = 0;
  #pendingObjects = 0;
  #timer: NodeJS.Timeout | undefined;
  #timing: Timing;
  #random: () => number;
  #settled: (() => void)[] = [];

  constructor(timing: Timing) {
    this.#timing = timing;
    this.#random = seededRandom(timing.applySeed);
  }

  get pendingObjects(): number {
    return this.#pendingObjects;
  }

  push(change: PendingChange): void {
    if (this.#timing.applyDelayMs === 0 && this.#pendingObjects === 0) {
      change.apply(undefined);
      return;
    }
    this.#waiting.push(change);
    this.#pendingObjects += change.objects;
    this.#schedule();
  }

  /** New timing holds for what already waits, too: a delay of 0 makes it visible at once. */
  retime(timing: Timing): void {
    if (timing.applySeed !== this.#timing.applySeed) this.#random = seededRandom(timing.applySeed);
    this.#timing = timing;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#run();
  }

  /** Resolves when nothing waits. */
  async settle(): Promise<void> {
    if (this.#pendingObjects > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  /** Forgets what waits. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
    this.#head = 0;
    this.#finish(this.#pendingObjects);
  }

  #schedule(): void {
    const oldest = this.#waiting[this.#head];
    if (this.#timer !== undefined || oldest === undefined) return;
    const dueAt = oldest.acceptedAt + this.#timing.applyDelayMs;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#run();
      },
      Math.max(1, dueAt - Date.now()),
    );
  }

  #run(): void {
    const { applyOrder, lostUpdate } = this.#timing;
    if (applyOrder === "fifo" && !lostUpdate) this.#applyDue();
    else if (this.#isDue()) this.#applyTogether();
    this.#schedule();
  }

  #isDue(): boolean {
    const oldest = this.#waiting[this.#head];
    return oldest !== undefined && oldest.acceptedAt + this.#timing.applyDelayMs <= Date.now();
  }

  #applyDue(): void {
    let applied = 0;
    while (this.#isDue()) {
      const change = this.#waiting[this.#head++];
      change?.apply(undefined);
      applied += change?.objects ?? 0;
    }
    if (this.#head > 1024 || this.#head === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    this.#finish(applied);
  }

  #applyTogether(): void {
    const changes = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    const { applyOrder, lostUpdate } = this.#timing;
    const journal = lostUpdate ? new LostUpdateJournal() : undefined;
    const ordered =
      applyOrder === "shuffled"
        ? shuffled(changes, this.#random)
        : applyOrder === "reversed"
          ? changes.toReversed()
          : changes;
    for (const change of ordered) change.apply(journal);
    this.#finish(changes.reduce((sum, change) => sum + change.objects, 0));
  }

  #finish(applied: number): void {
    this.#pendingObjects -= applied;
    if (this.#pendingObjects > 0) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }
}
