import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { tenant } from "../../sandbox/stack-environment.ts";
import { ClientError, CodedError, type ConnectorView } from "../../src/client.ts";
import { TestConnector } from "../integration/test-connector.ts";
import { eventually } from "../integration/waiting.ts";
import { partSeconds, type Arena } from "./arena.ts";
import { findings } from "./checker.ts";
import type { ConnectorEvidence, Evidence } from "./evidence.ts";
import { stallingSegopsFaults } from "./fault-kinds.ts";
import { gatherConnector, unnamedRejectionFaults } from "./gather.ts";
import { knowUsers } from "./known-users.ts";
import { Nemesis } from "./nemesis.ts";
import { untilAtRest } from "./rest.ts";
import type { RoundScript } from "./script.ts";
import { Tally } from "./tally.ts";
import { resolveNames, type PlannedWork } from "./workload.ts";

export interface RoundResult {
  /** What went wrong, in words; nothing in a green round. */
  red: string[];
  tally: Tally;
  runs: number;
  writes: number;
}

const limits = { partMs: partSeconds * 1000, slackMs: 1_500, historyEvents: 1_500 };

/**
 * One round with connectors and a workspace of its own: workload and faults at once, then quiet, then the checker.
 * `number` names them, and no other round of the arena may have it.
 */
export async function playRound(arena: Arena, script: RoundScript, number: number): Promise<RoundResult> {
  return await new Round(arena, script, number).play();
}

/** What an operator waits for: that something is held, that a removal is over. */
async function patiently<T>(ask: () => Promise<T>): Promise<T | null> {
  const giveUpAt = Date.now() + 4_000;
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      if (Date.now() > giveUpAt) throw error;
      return null;
    });
    if (answer !== null || Date.now() > giveUpAt) return answer;
    await delay(300);
  }
}

class Round {
  readonly #arena: Arena;
  readonly #script: RoundScript;
  readonly #brazeKey: string;
  readonly #connectors: TestConnector[];
  readonly #tally = new Tally();
  readonly #nemesis: Nemesis;
  readonly #red: string[] = [];

  constructor(arena: Arena, script: RoundScript, round: number) {
    this.#arena = arena;
    this.#script = script;
    this.#brazeKey = `braze-key-of-round-${round}`;
    this.#connectors = script.cast.map((_, index) => {
      const key = { tenant_slug: tenant, segment_id: round * 10 + index + 1 };
      return new TestConnector(arena.stage, key, this.#brazeKey);
    });
    this.#nemesis = new Nemesis(arena, this.#connectors, this.#brazeKey, this.#tally);
  }

  async play(): Promise<RoundResult> {
    const connectors: ConnectorEvidence[] = [];
    try {
      await this.#begin();
      await Promise.all([this.#nemesis.rage(this.#script.faults), this.#perform(this.#script.work)]);
      connectors.push(...(await this.#calm()));
      const { blockedIds = [] } = this.#script.weather;
      const crashes = this.#arena.crashes.splice(0);
      const unnamedRejections = unnamedRejectionFaults.reduce((sum, kind) => sum + this.#tally.of(kind), 0);
      const untoldRejections = this.#tally.of("braze queued_202");
      const known = { connectors, blockedIds, unnamedRejections, untoldRejections, crashes };
      this.#red.push(...findings(known, limits));
      if (this.#red.length === 0) await this.#end();
      else await this.#keep(known);
    } catch (error) {
      // What could not be checked is not known, and unknown is red.
      this.#red.push(`unknown: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      await this.#nemesis.relent().catch(() => undefined);
      await this.#nemesis.rest().catch(() => undefined);
      await this.#arena.mend();
    }
    return {
      red: this.#red,
      tally: this.#tally,
      runs: connectors.reduce((sum, { runs }) => sum + runs.length, 0),
      writes: connectors.reduce((sum, { writes }) => sum + writes.length, 0),
    };
  }

  async #begin(): Promise<void> {
    const { cast, weather, knownBefore } = this.#script;
    const { braze, brazeUrl } = this.#arena.stage.stack;
    const blockedIds = weather.blockedIds ?? [];
    await braze.putWorkspace({ key: this.#brazeKey, applyDelayMs: 0, blockedIds });
    if (knownBefore)
      await knowUsers(
        brazeUrl,
        this.#brazeKey,
        cast.map(({ segment }) => segment),
      );
    await braze.putWorkspace({ key: this.#brazeKey, ...weather, recordWrites: true });
    await Promise.all(
      this.#connectors.map(async (connector, index) => {
        await connector.segment(cast[index]?.segment ?? {});
        await connector.compute();
        await this.#create(index);
      }),
    );
  }

  async #perform(work: readonly PlannedWork[]): Promise<void> {
    await Promise.all(
      work.map(async (planned) => {
        await delay(planned.atMs);
        await this.#do(planned).catch((error: unknown) => this.#tolerate(planned, error));
      }),
    );
  }

  async #do({ connector: index, work }: PlannedWork): Promise<void> {
    const connector = this.#connectors[index];
    if (!connector) throw new Error(`the round has no connector ${index}`);
    const { connectors } = this.#arena.stage;
    switch (work.kind) {
      case "recompute":
        await connector.recompute(work.change);
        return;
      case "configure":
        await connector.configure(resolveNames(work.change, connector.id));
        return;
      case "approve": {
        const pending = await patiently(async () => (await connector.describe()).pending_removal);
        if (!pending) return;
        await connectors.approveRemoval(connector.key, pending.digest);
        break;
      }
      case "remove":
        await connectors.remove(connector.key, { cleanup: work.cleanup });
        break;
      case "create":
        await patiently(() => this.#create(index));
        break;
      default:
        await connectors[work.kind](connector.key);
    }
    this.#tally.did(work.kind);
  }

  async #create(index: number): Promise<ConnectorView> {
    const [connector, member] = [this.#connectors[index], this.#script.cast[index]];
    if (!connector || !member) throw new Error(`the round has no connector ${index}`);
    return await connector.create(resolveNames(member.settings, connector.id));
  }

  /** With workers and Temporal down, an operation may be refused or unheard; but it must say so in the client's words. */
  #tolerate({ work }: PlannedWork, error: unknown): void {
    if (error instanceof ClientError || error instanceof CodedError) return;
    const causes: string[] = [];
    for (let link = error; link instanceof Error; link = link.cause) causes.push(String(link));
    this.#red.push(`${work.kind} failed without a code: ${causes.join(" ← ")}`);
  }

  /** Faults end, everything runs again, SegOps computes once more; then each connector is given time to come to rest. */
  async #calm(): Promise<ConnectorEvidence[]> {
    await this.#nemesis.relent();
    await this.#arena.mend();
    await this.#arena.stage.stack.braze.putWorkspace({ key: this.#brazeKey, answerDelayMs: 0 });
    const rested = await Promise.all(
      this.#connectors.map((connector, index) => this.#settle(connector, index)),
    );
    await this.#nemesis.rest();
    return await Promise.all(
      this.#connectors.map((connector, index) =>
        gatherConnector(this.#arena, connector, rested[index] ?? null),
      ),
    );
  }

  async #settle(connector: TestConnector, index: number): Promise<string | null> {
    const { connectors } = this.#arena.stage;
    const stalls = this.#script.faults.some(
      (fault) => fault.on === "segops" && stallingSegopsFaults.has(fault.kind),
    );
    await eventually("it is there", () => this.#activate(index));
    if (stalls) {
      await eventually("it can be deactivated", () => connectors.deactivate(connector.key));
      await eventually("it can be activated", () => connectors.activate(connector.key));
    }
    const computedAt = await connector.compute(this.#script.lastChanges[index]);
    await eventually("the last recompute is told", async () => (await connector.signal(), true));
    const letsGo = this.#script.cast[index]?.letsGo ?? true;
    return await untilAtRest(this.#arena, connector, { computedAt, letsGo });
  }

  /** One that was removed in the storm is created again. */
  async #activate(index: number): Promise<true> {
    const connector = this.#connectors[index];
    if (!connector) throw new Error(`the round has no connector ${index}`);
    try {
      await this.#arena.stage.connectors.activate(connector.key);
    } catch (error) {
      if (!(error instanceof CodedError && error.code === "connector_not_found")) throw error;
      await this.#create(index);
    }
    return true;
  }

  /** What the checker saw, for whoever looks into it: the stand-ins forget it when they end. */
  async #keep(evidence: Evidence): Promise<void> {
    const plain = (_: string, value: unknown): unknown =>
      value instanceof Map ? Object.fromEntries(value) : value;
    await writeFile(join(this.#arena.dir, `${this.#brazeKey}.json`), JSON.stringify(evidence, plain, 1));
  }

  /** The next round begins with nothing of this one under way. */
  async #end(): Promise<void> {
    const { client, stack } = this.#arena.stage;
    for (const { workflowId } of this.#connectors)
      await client.workflow.getHandle(workflowId).terminate("round over");
    await stack.braze.reset(this.#brazeKey);
  }
}
