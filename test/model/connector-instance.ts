import { nextRetry, planLedger, quietUsers, settleLedger } from "./ledger-rules.ts";
import type { Ledger, LedgerPlan, PartFate } from "./ledger-rules.ts";
import { settleNaively } from "./naive-ledger.ts";
import { deliverPart } from "./part-delivery.ts";
import type { DeliveredPart } from "./part-delivery.ts";
import type { Owner } from "./run-log.ts";
import { Signal } from "./simulated-time.ts";
import type { Process } from "./simulated-time.ts";
import { clockTime, msUntil } from "./world.ts";
import type { World } from "./world.ts";

const partUsers = 3;
const freshCommitMs = 30_000;

/** How a run ended, for what the connector does next. `lost`: the log is ahead. */
type RunEnd = "clean" | "cut short" | "failed" | "lost";

/** One connector workflow with its runs. Two of them may live on one log: two clusters, or an orphan and its successor. */
export class ConnectorInstance {
  readonly name: string;
  readonly #world: World;
  readonly #skewMs: number;
  readonly #woken = new Signal();
  readonly #stops: (() => void)[] = [];
  #isWanted = false;
  #lastNumber = 0;
  #cutInARow = 0;
  /** The run under way that has no plan yet. */
  planless: number | null = null;
  /** Whether another instance is at work on a run of this number without a plan. */
  readonly #isElsewhere: (number: number) => boolean;

  constructor(world: World, name: string, isElsewhere: (number: number) => boolean) {
    this.#world = world;
    this.name = name;
    this.#isElsewhere = isElsewhere;
    this.#skewMs = [0, -10_000, 10_000, 5_000][world.choices.pick(4)] ?? 0;
    this.#begin(this.#live());
  }

  recompute(): void {
    this.#isWanted = true;
    this.#woken.fire();
  }

  /** Terminated: its attempts live on. */
  die(): void {
    this.#world.trace?.(`${this.name} is terminated`);
    this.planless = null;
    for (const stop of this.#stops) stop();
  }

  #begin(process: Process): void {
    this.#stops.push(this.#world.time.begin(process));
  }

  *#live(): Process {
    for (let end: RunEnd = "lost"; ;) {
      if (end === "lost") yield* this.#open();
      yield* this.#untilDue(end);
      this.#isWanted = false;
      end = yield* this.#run(this.#lastNumber + 1);
      this.planless = null;
      // Whoever was first may have delivered an older membership.
      if (end === "lost") this.#isWanted = true;
      this.#cutInARow = end === "cut short" ? this.#cutInARow + 1 : 0;
    }
  }

  /** The log's end is adopted; a run that is open there is taken for dead and closed. */
  *#open(): Process {
    const { log, choices } = this.#world;
    yield 200;
    for (let { number, open } = log.end(); ; { number, open } = log.end()) {
      const isBegun = !open && this.#isElsewhere(number + 1) && choices.chance(2);
      if (!open && !isBegun) {
        this.#lastNumber = number;
        return;
      }
      yield* this.#close(isBegun ? number + 1 : number);
    }
  }

  *#untilDue(last: RunEnd): Process {
    const { log } = this.#world;
    const { exceptions } = log.ledgerBefore(this.#lastNumber + 1);
    const isUnfinished = [...exceptions.values()].some(({ reason }) =>
      ["unanswered", "not_sent", "abandoned"].includes(reason),
    );
    if (this.#isWanted) return;
    if (isUnfinished && last !== "failed") {
      const pauseMs = this.#cutInARow <= 1 ? 0 : Math.min(30_000 * 2 ** (this.#cutInARow - 2), 900_000);
      yield { signal: this.#woken, ms: pauseMs };
      return;
    }
    const retry = nextRetry({ base: new Set(), exceptions });
    if (retry === null) yield this.#woken;
    else yield { signal: this.#woken, ms: msUntil(this.#world, retry, this.#skewMs) };
  }

  *#run(number: number): Process<RunEnd> {
    const { log, weather, trace } = this.#world;
    const owner: Owner = { name: `${this.name}, run ${number}` };
    this.planless = number;
    yield* this.#work(1_000);
    const membership = new Set(this.#world.segops);
    yield* this.#work(100);
    const at = clockTime(this.#world, this.#skewMs);
    const before = log.ledgerBefore(number);
    const plan = this.#plan(before, membership, at);
    yield* this.#work(100);
    if (log.putPlan(number, owner, plan) === "taken") return "lost";
    this.planless = null;
    trace?.(`${owner.name} plans ${planText(plan)}`);
    const delivered = yield* this.#deliver(number, owner, plan);
    const fates = plan.parts.map((_, index) => delivered[index]?.fate ?? "not started");
    const isMine = yield* this.#commit(number, owner, this.#settle(before, plan, fates), weather.slowCommit);
    if (!isMine) return "lost";
    if (delivered.some((part) => part?.ending === "final")) return "failed";
    return delivered.every((part) => part?.ending === "done") ? "clean" : "cut short";
  }

  #plan(before: Ledger, membership: ReadonlySet<string>, at: string): LedgerPlan {
    const { rules, log } = this.#world;
    const quietUntil = rules.naive ? undefined : quietUsers(log.closed, at, rules.quietWindowMs);
    return planLedger(before, membership, { at, quietUntil, partUsers });
  }

  /** Entered before exited; the parts of one direction side by side. What cannot go on keeps the rest from being begun. */
  *#deliver(number: number, owner: Owner, plan: LedgerPlan): Process<(DeliveredPart | undefined)[]> {
    const delivered: (DeliveredPart | undefined)[] = plan.parts.map(() => undefined);
    for (const direction of ["entered", "exited"] as const) {
      const finished = new Signal();
      const running = new Set<number>();
      for (const [index, part] of plan.parts.entries()) {
        if (part.direction !== direction) continue;
        running.add(index);
        const job = { number, owner, part, name: `part ${index} of ${owner.name}` };
        this.#begin(
          this.#deliverOne(job, (outcome) => {
            delivered[index] = outcome;
            running.delete(index);
            finished.fire();
          }),
        );
      }
      while (running.size > 0) yield finished;
      if (delivered.some((part) => part && part.ending !== "done")) break;
    }
    return delivered;
  }

  *#deliverOne(job: Parameters<typeof deliverPart>[1], done: (outcome: DeliveredPart) => void): Process {
    done(yield* deliverPart(this.#world, job));
  }

  /** Ends a run that somebody else, or nobody, is at work on: all it had planned is unknown. */
  *#close(number: number): Process {
    const { rules, log, weather, trace } = this.#world;
    const owner: Owner = { name: `${this.name}, closing run ${number}` };
    const before = log.ledgerBefore(number);
    trace?.(`${this.name} closes run ${number}`);
    const carried: LedgerPlan = { desired: before.base, kept: before.exceptions, parts: [] };
    if (rules.fencePlanless) log.putPlan(number, owner, carried);
    const plan = log.plan(number) ?? carried;
    const fates = plan.parts.map((): PartFate => "abandoned");
    yield* this.#commit(number, owner, this.#settle(before, plan, fates), weather.slowClose);
  }

  #settle(before: Ledger, plan: LedgerPlan, fates: readonly PartFate[]): (at: string) => Ledger {
    const { rules } = this.#world;
    if (rules.naive) return () => settleNaively(before, plan, fates);
    return (at) => settleLedger(plan, fates, { at, unknown: rules.unknown });
  }

  /** Answers whether it was this commit that closed the run. */
  *#commit(
    number: number,
    owner: Owner,
    settle: (at: string) => Ledger,
    slowOneIn: number,
  ): Process<boolean> {
    const { rules, time, log, trace } = this.#world;
    for (;;) {
      const [at, decidedAt] = [clockTime(this.#world, this.#skewMs), time.now];
      yield* this.#work(100, slowOneIn);
      if (rules.freshCommits && time.now - decidedAt > freshCommitMs) continue;
      const isMine = log.putCommit(number, owner, { at, ledger: settle(at) }) === "mine";
      trace?.(`${owner.name}: ${isMine ? `committed as of ${at}` : "was committed by another"}`);
      return isMine;
    }
  }

  /** An activity that may be long in coming: its worker died or froze, storage was away. */
  *#work(ms: number, slowOneIn = this.#world.weather.slowStep): Process {
    const { choices } = this.#world;
    yield choices.chance(slowOneIn) ? choices.duration(5_000, 600_000, 5_000) : ms;
  }
}

function planText({ parts, kept }: LedgerPlan): string {
  const written = parts.flatMap(({ direction, users }) =>
    users.map(([id]) => (direction === "entered" ? "+" : "-") + id),
  );
  const left = [...kept].map(([id, { reason }]) => `${id} (${reason})`);
  return [...written, ...(left.length > 0 ? ["leaves", ...left] : [])].join(" ") || "nothing";
}
