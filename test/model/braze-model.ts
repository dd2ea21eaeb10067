import { Signal } from "./simulated-time.ts";
import type { World } from "./world.ts";

export interface BrazeRequest {
  /** The number of the run that sends it. */
  run: number;
  users: readonly string[];
  value: boolean;
}

export type BrazeAnswer =
  /** Offsets in the request of the users rejected by name, with a code. */
  { kind: "accepted"; rejected: [offset: number, code: string][] } | { kind: "refused" };

/** An answer under way. It may never come. */
export interface PendingAnswer {
  arrived: Signal;
  answer?: BrazeAnswer;
}

type Surroundings = Pick<World, "time" | "choices" | "weather" | "trace">;

const slowestApplyMs = 300_000;

/** Braze: accepts or refuses a request at once, and applies it some time within five minutes, in no order. */
export class BrazeModel {
  readonly #world: Surroundings;
  readonly members = new Set<string>();
  /** Whom Braze rejects at present, with the code. */
  readonly rejecting = new Map<string, string>();
  readonly #lastRun = new Map<string, number>();
  /** Users for whom the value of an older run was applied on top of another one of a newer run. */
  overwritten = 0;

  constructor(world: Surroundings) {
    this.#world = world;
  }

  /** Writes a request. From here on it is on its way, whatever becomes of its sender. */
  write(request: BrazeRequest): PendingAnswer {
    const { time, choices, weather, trace } = this.#world;
    const pending: PendingAnswer = { arrived: new Signal() };
    if (choices.chance(weather.requestLost)) {
      trace?.(`a request of run ${request.run} is lost on its way`);
      return pending;
    }
    time.after(choices.duration(100, 5_100, 500), () => this.#receive(request, pending));
    return pending;
  }

  #receive(request: BrazeRequest, pending: PendingAnswer): void {
    const { time, choices, weather, trace } = this.#world;
    const refused = choices.chance(weather.refusal);
    const answer: BrazeAnswer = refused
      ? { kind: "refused" }
      : { kind: "accepted", rejected: this.#accept(request) };
    trace?.(`Braze receives ${text(request)}: ${JSON.stringify(answer)}`);
    if (choices.chance(weather.answerLost)) return trace?.("... and the answer is lost");
    pending.answer = answer;
    time.after(100, () => pending.arrived.fire());
  }

  #accept(request: BrazeRequest): [number, string][] {
    const rejected: [number, string][] = [];
    const accepted: string[] = [];
    for (const [offset, user] of request.users.entries()) {
      const code = this.rejecting.get(user);
      if (code === undefined) accepted.push(user);
      else rejected.push([offset, code]);
    }
    const { time, choices } = this.#world;
    const delayMs = choices.duration(0, slowestApplyMs, 5_000);
    time.after(delayMs, () => this.#apply({ ...request, users: accepted }));
    return rejected;
  }

  #apply(request: BrazeRequest): void {
    this.#world.trace?.(`Braze applies ${text(request)}`);
    for (const user of request.users) {
      const newest = this.#lastRun.get(user) ?? 0;
      if (request.run < newest && this.members.has(user) !== request.value) this.overwritten += 1;
      this.#lastRun.set(user, Math.max(newest, request.run));
      if (request.value) this.members.add(user);
      else this.members.delete(user);
    }
  }
}

function text({ run, users, value }: BrazeRequest): string {
  return `run ${run}: ${users.join(" ") || "nobody"} ${value ? "present" : "absent"}`;
}
