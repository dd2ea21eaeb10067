import { setTimeout as delay } from "node:timers/promises";
import type { RecordedWrite } from "../../sandbox/braze/write-record.ts";
import type { Process } from "../../sandbox/process.ts";
import type { Direction } from "../../src/contracts/channel.ts";
import { runWorkflowId } from "../../src/contracts/connector-id.ts";
import type { Stage } from "./harness.ts";
import { ids, type TestConnector } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

/** An attempt's time in these tests; a part takes 25 s at the slow pace, so that even on a busy machine it is never near its end. */
export const partSeconds = 2;
const users = 5_000;
/** They go one way in the overtaken run, and the other way in the run that overtakes it. */
const flappers = ids(users - 100);
const settings = { batch_size: 10 };
const slow = { answerDelayMs: 400 };
const fast = { answerDelayMs: 5 };
/** Between the look at the clock and Braze's clock lies a busy machine. */
const slackMs = 500;
/** Time enough for whoever comes back to do what he should not. */
const afterwardsMs = 3_000;

interface Overtaking {
  stage: Stage;
  /** Where the parts are under way: the only worker. */
  worker: Process;
  /** Half of them are overtaken while users enter, half while users exit. */
  connectors: number;
  /** The workers' quiet window. */
  windowMs: number;
  /** Takes the worker out of the world, yet not its memory of what it was doing. */
  strike(): unknown;
  /** Brings it back. */
  release(): unknown;
  /** Starts the worker by which the world goes on meanwhile. */
  startOther(): Promise<Process>;
}

export interface Overtaken {
  /** Parts that were really under way on the worker when it was struck. */
  tries: number;
  /** Writes of those parts that Braze accepted after the strike and before their deadline. */
  afterStrike: number;
  /** Writes of those parts that Braze accepted after their deadline. */
  late: number;
  /** Users who were written the old way after they had been written the new way. */
  olderAfterNewer: number;
  /** Users who were not written the new way: there was nothing to be overtaken in. */
  notTurned: number;
  /** Users in whom Braze and SegOps differ in the end. */
  differing: number;
  other: Process;
}

/**
 * Strikes a worker in the middle of many parts, ends their runs, lets another worker send the same users the other way, brings
 * the first one back, and reads in Braze's own record what it wrote that it should not have.
 */
export async function overtake(overtaking: Overtaking): Promise<Overtaken> {
  const { stage, worker } = overtaking;
  const overtaken = await Promise.all(
    Array.from({ length: overtaking.connectors }, (_, index) =>
      Victim.prepare(stage, index % 2 === 0 ? "entered" : "exited"),
    ),
  );
  // Whom a first load has just written may not be written again before.
  await delay(overtaking.windowMs);
  await Promise.all(overtaken.map((victim) => victim.begin()));
  await Promise.all(overtaken.map((victim) => victim.untilUnderWay()));
  overtaking.strike();
  const struckAt = Date.now();
  const deadlineAt = struckAt + partSeconds * 1000 + slackMs;
  const underWay = await Promise.all(overtaken.map((victim) => victim.isUnderWayOn(worker)));
  await Promise.all(overtaken.map((victim) => victim.endRunAndTurn()));
  const other = await overtaking.startOther();
  await delay(Math.max(0, deadlineAt - Date.now()));
  await Promise.all(overtaken.map((victim) => victim.untilTurned()));
  overtaking.release();
  await delay(afterwardsMs);
  const found = await Promise.all(overtaken.map((victim) => victim.inspect(struckAt, deadlineAt)));
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
  return {
    tries: underWay.filter(Boolean).length,
    afterStrike: sum(found.map(({ afterStrike }) => afterStrike)),
    late: sum(found.map(({ late }) => late)),
    olderAfterNewer: sum(found.map(({ olderAfterNewer }) => olderAfterNewer)),
    notTurned: sum(found.map(({ notTurned }) => notTurned)),
    differing: sum(found.map(({ differing }) => differing)),
    other,
  };
}

/** A connector that has a run overtaken. */
class Victim {
  readonly #stage: Stage;
  readonly #connector: TestConnector;
  readonly #direction: Direction;
  /** The run that is overtaken. */
  readonly #run: number;
  #requestsBefore = 0;

  constructor(stage: Stage, direction: Direction) {
    this.#stage = stage;
    this.#connector = stage.connector();
    this.#direction = direction;
    this.#run = direction === "entered" ? 1 : 2;
  }

  static async prepare(stage: Stage, direction: Direction): Promise<Victim> {
    const victim = new Victim(stage, direction);
    if (direction === "exited") {
      await victim.#start(fast);
      await victim.#connector.ran(1);
    }
    return victim;
  }

  async #start(pace: { answerDelayMs: number }): Promise<void> {
    const population = { generate: { count: users, prefix: "user-" } };
    await this.#connector.start(population, settings, { ...pace, recordWrites: true });
  }

  async begin(): Promise<void> {
    if (this.#direction === "entered") return await this.#start(slow);
    this.#requestsBefore = await this.#connector.requests();
    await this.#connector.workspace(slow);
    await this.#connector.recompute({ exit: flappers });
  }

  async untilUnderWay(): Promise<void> {
    await eventually(`run ${this.#run} of ${this.#connector.workflowId} sends`, async () => {
      return (await this.#connector.requests()) > this.#requestsBefore;
    });
  }

  /** Temporal holds that this worker has a part of the run, and Braze that it is not all sent. */
  async isUnderWayOn({ pid }: Process): Promise<boolean> {
    const { raw } = await this.#stage.client.workflow.getHandle(this.#runId).describe();
    const part = raw.pendingActivities?.find(({ lastWorkerIdentity }) =>
      lastWorkerIdentity?.startsWith(`${pid}@`),
    );
    const sent = (await this.#connector.requests()) - this.#requestsBefore;
    return part !== undefined && sent < flappers.length / settings.batch_size;
  }

  /** The run ends without a word, as nobody sees to it any more, and the newest membership is the opposite. */
  async endRunAndTurn(): Promise<void> {
    const opposite = this.#direction === "entered" ? { exit: flappers } : { enter: flappers };
    await this.#connector.compute(opposite);
    await this.#stage.client.workflow.getHandle(this.#runId).terminate("its worker is gone");
    await this.#connector.signal();
  }

  /** All that was turned is written, and nobody waits. */
  async untilTurned(): Promise<void> {
    await this.#connector.workspace(fast);
    await eventually(
      `${this.#connector.workflowId} has gone on`,
      async () => {
        const { commit } = await this.#connector.log.end();
        const { outcome, counts, number = 0 } = commit ?? {};
        return number > this.#run && outcome === "clean" && counts?.waiting === 0 && counts.unknown === 0;
      },
      { timeoutMs: 120_000, everyMs: 250 },
    );
  }

  async inspect(struckAt: number, deadlineAt: number): Promise<Omit<Overtaken, "tries" | "other">> {
    const { missing, extra } = await this.#connector.differing();
    const flapping = new Set(flappers);
    const turned = new Set<string>();
    const found = { afterStrike: 0, late: 0, olderAfterNewer: 0 };
    for await (const write of this.#stage.stack.braze.writes(this.#connector.brazeKey)) {
      if (!flapping.has(write.user) || write.at < struckAt) continue;
      if (!this.#isOld(write)) turned.add(write.user);
      else {
        if (write.at <= deadlineAt) found.afterStrike++;
        else found.late++;
        if (turned.has(write.user)) found.olderAfterNewer++;
      }
    }
    const notTurned = flappers.length - turned.size;
    return { ...found, notTurned, differing: missing.length + extra.length };
  }

  #isOld({ value }: RecordedWrite): boolean {
    return (value === true) === (this.#direction === "entered");
  }

  get #runId(): string {
    return runWorkflowId(this.#connector.key, this.#run);
  }
}
