import type { BrazeAnswer } from "./braze-model.ts";
import type { PartProgress, PlannedPart } from "./ledger-rules.ts";
import type { Owner } from "./run-log.ts";
import { Signal } from "./simulated-time.ts";
import type { Process } from "./simulated-time.ts";
import type { World } from "./world.ts";

/** One part of one run, to be sent by as many attempts as it takes. */
export interface PartJob {
  number: number;
  owner: Owner;
  name: string;
  part: PlannedPart;
}

/** How an attempt ended by itself. `final`: no further attempt may help. */
export type Ending = "done" | "time over" | "failed" | "final";

/** What Temporal knows of one attempt. */
export interface Call {
  attempt: number;
  /** The last heartbeat that arrived; at first, where the attempt is to begin. */
  heartbeat: PartProgress;
  /** No heartbeat arrives any more: it is dead, frozen or cut off. */
  silent: boolean;
  ending?: Ending;
  changed: Signal;
}

const batchUsers = 2;
const answerTimeoutMs = 10_000;
const deadlineMs = 60_000;
const triesOfBatch = 3;

/** Sends a part from where its call says, as src/activities/send-part.ts does. `afterLost`: the attempt before did not report its end. */
export class PartAttempt {
  readonly #world: World;
  readonly #job: PartJob;
  readonly #call: Call;
  readonly #progress: PartProgress & { doubtful: number[] };
  /** Below this another attempt may have sent. */
  readonly #attemptedBefore: number;
  #cutOff = false;

  constructor(world: World, job: PartJob, call: Call, afterLost: boolean) {
    this.#world = world;
    this.#job = job;
    this.#call = call;
    const { cursor, attempted, rejects, doubtful = [] } = call.heartbeat;
    const coversAll = afterLost && world.rules.coverLostAttempts;
    this.#attemptedBefore = coversAll ? job.part.users.length : attempted;
    this.#progress = {
      cursor,
      attempted: this.#attemptedBefore,
      rejects: structuredRejects(rejects),
      doubtful: [...doubtful],
    };
  }

  *run(): Process {
    const { rules, choices, weather, time, log } = this.#world;
    const { number, owner, part } = this.#job;
    yield* this.#pause(choices.chance(weather.slowStart) ? choices.duration(5_000, 400_000, 5_000) : 100);
    const lookedAt = time.now;
    yield* this.#pause(100);
    if (rules.lookBeforeSending && !log.isOpen(number, owner)) return this.#end("final");
    while (this.#progress.cursor < part.users.length) {
      const ending = yield* this.#sendBatch(lookedAt + deadlineMs);
      if (ending) return this.#end(ending);
    }
    this.#end("done");
  }

  /** One batch, with its retries. Answers how the attempt ends, if it does. */
  *#sendBatch(deadline: number): Process<Ending | undefined> {
    const { rules, choices, time, braze } = this.#world;
    const { number, part } = this.#job;
    const from = this.#progress.cursor;
    const to = Math.min(part.users.length, (Math.floor(from / batchUsers) + 1) * batchUsers);
    const users = part.users.slice(from, to).map(([id]) => id);
    let mayHaveApplied = from < this.#attemptedBefore;
    for (let tries = 1; tries <= triesOfBatch; tries += 1) {
      yield* this.#pause(choices.chance(4) ? choices.duration(1_000, 20_000) : 50);
      if (rules.attemptDeadline && time.now > deadline) return "time over";
      this.#progress.attempted = Math.max(this.#progress.attempted, to);
      const pending = braze.write({ run: number, users, value: part.direction === "entered" });
      this.#beat();
      yield { signal: pending.arrived, ms: answerTimeoutMs };
      yield* this.#pause(0);
      const { answer } = pending;
      if (answer?.kind === "accepted") return this.#settle(from, to, answer, mayHaveApplied);
      if (!answer) mayHaveApplied = true;
      // Refused as a whole, and nothing else was ever sent of it: these users were not written.
      else if (!mayHaveApplied) this.#progress.attempted = Math.max(this.#attemptedBefore, from);
      if (answer && choices.chance(3)) return "final";
    }
    return "failed";
  }

  #settle(from: number, to: number, answer: BrazeAnswer & { kind: "accepted" }, inDoubt: boolean): undefined {
    for (const [offset, code] of answer.rejected) {
      const place = from + offset;
      (this.#progress.rejects[code] ??= []).push(place);
      const isDoubtful = inDoubt || place < this.#attemptedBefore;
      if (isDoubtful && this.#world.rules.doubtfulRejects) this.#progress.doubtful.push(place);
    }
    this.#progress.cursor = to;
    this.#progress.attempted = Math.max(this.#progress.attempted, to);
    this.#beat();
  }

  /** Time goes by, in which the worker may die, be frozen or lose Temporal. */
  *#pause(ms: number): Process {
    const { choices, weather, trace } = this.#world;
    const fate = choices.chance(weather.attemptFault) ? choices.pick(5) : -1;
    if (fate === 3) {
      trace?.(`${this.#name} dies`);
      this.#fallSilent();
      yield new Signal();
    } else if (fate >= 0 && fate <= 2) {
      const frozenMs = choices.duration(5_000, fate === 2 ? 2_400_000 : 300_000, 5_000);
      trace?.(`${this.#name} is frozen for ${frozenMs / 1000} s`);
      this.#fallSilent();
      yield frozenMs;
      this.#call.silent = this.#cutOff;
      this.#call.changed.fire();
    } else if (fate === 4) {
      trace?.(`${this.#name} is cut off from Temporal`);
      this.#cutOff = true;
      this.#fallSilent();
    }
    yield ms;
  }

  #fallSilent(): void {
    this.#call.silent = true;
    this.#call.changed.fire();
  }

  /** Heartbeats are throttled, so that the newest may not have left when the worker dies. */
  #beat(): void {
    if (!this.#call.silent && !this.#world.choices.chance(3)) this.#call.heartbeat = this.#copy();
  }

  #end(ending: Ending): void {
    this.#world.trace?.(`${this.#name} ends: ${ending}, cursor ${this.#progress.cursor}`);
    if (this.#cutOff) return;
    this.#call.heartbeat = this.#copy();
    this.#call.ending = ending;
    this.#call.changed.fire();
  }

  #copy(): PartProgress {
    const { rejects, doubtful } = this.#progress;
    return { ...this.#progress, rejects: structuredRejects(rejects), doubtful: [...doubtful] };
  }

  get #name(): string {
    return `attempt ${this.#call.attempt} at ${this.#job.name}`;
  }
}

function structuredRejects(rejects: PartProgress["rejects"]): PartProgress["rejects"] {
  return Object.fromEntries(Object.entries(rejects).map(([code, places]) => [code, [...places]]));
}
