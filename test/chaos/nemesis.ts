import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { runWorkflowId } from "../../src/contracts/connector-id.ts";
import { connectorFolder } from "../../src/contracts/log.ts";
import type { TestConnector } from "../integration/test-connector.ts";
import type { Arena } from "./arena.ts";
import type { PlannedFault } from "./faults.ts";
import type { Tally } from "./tally.ts";

const strikePatienceMs = 5_000;

type ProcessStrike = Extract<PlannedFault, { on: "process" }>;

/** Does what the script says, when it says so, and counts what really struck. What cannot strike (nothing runs) is not counted. */
export class Nemesis {
  readonly #arena: Arena;
  readonly #connectors: readonly TestConnector[];
  readonly #brazeKey: string;
  readonly #tally: Tally;

  constructor(arena: Arena, connectors: readonly TestConnector[], brazeKey: string, tally: Tally) {
    this.#arena = arena;
    this.#connectors = connectors;
    this.#brazeKey = brazeKey;
    this.#tally = tally;
  }

  async rage(faults: readonly PlannedFault[]): Promise<void> {
    await Promise.all(
      faults.map(async (fault) => {
        await delay(fault.atMs);
        await this.#strike(fault);
      }),
    );
  }

  /**
   * Takes SegOps' faults away and counts how often each of them struck: its last word is to be heard. Those of Braze and of the
   * storage, which strike so and so often and no more, may still find something to strike.
   */
  async relent(): Promise<void> {
    const { segops } = this.#arena.stage.stack;
    for (const { kind, struck } of await segops.faults()) this.#tally.add(`segops ${kind}`, struck);
    await segops.clearFaults();
  }

  /** Takes the others away too, and counts them. */
  async rest(): Promise<void> {
    const { braze } = this.#arena.stage.stack;
    for (const [kind, struck] of await this.#arena.storageFaults.clear())
      this.#tally.add(`storage ${kind}`, struck);
    for (const { kind, struck } of await braze.faults()) this.#tally.add(`braze ${kind}`, struck);
    await braze.clearFaults();
  }

  async #strike(fault: PlannedFault): Promise<void> {
    const { braze, segops } = this.#arena.stage.stack;
    switch (fault.on) {
      case "braze": {
        const { kind, path, applied, times, retryAfterSeconds } = fault;
        await braze.addFault({ key: this.#brazeKey, kind, path, applied, times, retryAfterSeconds });
        return;
      }
      case "segops": {
        const { kind, times } = fault;
        await segops.addFault({ segment: this.#connector(fault).id, kind, times });
        return;
      }
      case "storage": {
        const { kind, times, lastsMs } = fault;
        const prefix = connectorFolder(this.#connector(fault).key);
        this.#arena.storageFaults.add({ kind, prefix, times, untilMs: Date.now() + lastsMs });
        return;
      }
      case "process":
        if (await this.#strikeWhenItCan(fault)) this.#tally.add(fault.kind);
    }
  }

  /** Temporal may be down, or nothing of the kind may run: a little later there may be something to strike. */
  async #strikeWhenItCan(fault: ProcessStrike): Promise<boolean> {
    const giveUpAt = Date.now() + strikePatienceMs;
    while (!(await this.#strikeProcess(fault).catch(() => false))) {
      if (Date.now() > giveUpAt) return false;
      await delay(200);
    }
    return true;
  }

  async #strikeProcess(fault: ProcessStrike): Promise<boolean> {
    const { worker, lastsMs, fraction } = fault;
    const connector = this.#connector(fault);
    const folder = connectorFolder(connector.key);
    switch (fault.kind) {
      case "worker_killed":
        return await this.#arena.killWorker(worker);
      case "worker_stopped":
        return this.#arena.stopWorker(worker, lastsMs);
      case "worker_stopped_past_its_run":
        return await this.#stopPastRun(worker, lastsMs, connector);
      case "temporal_killed":
        return await this.#arena.killTemporal(lastsMs);
      case "connector_terminated":
        return await this.#terminate(connector.workflowId);
      case "run_terminated":
        return await this.#terminate(runWorkflowId(connector.key, (await connector.log.end()).lastNumber));
      case "connector_reset":
        return await this.#reset(connector.workflowId, fraction);
      case "closed_run_reset": {
        const { lastNumber, open } = await connector.log.end();
        const number = Math.ceil((open ? lastNumber - 1 : lastNumber) * fraction);
        return number > 0 && (await this.#reset(runWorkflowId(connector.key, number), fraction));
      }
      case "storage_obstructed":
        return await this.#arena.obstruct(folder, lastsMs);
      case "stray_files":
        return await this.#arena.strew(folder);
    }
  }

  /** The worker sleeps while its runs are ended and newer ones, with whoever flaps the other way, take their place. */
  async #stopPastRun(worker: number, ms: number, connector: TestConnector): Promise<boolean> {
    if (!this.#arena.stopWorker(worker, ms)) return false;
    await delay(200);
    for (const { key, log } of this.#connectors) {
      const end = await log.end();
      if (end.open) await this.#terminate(runWorkflowId(key, end.lastNumber)).catch(() => false);
    }
    await connector
      .recompute({ enter: ["flap-0", "flap-1"], exit: ["flap-2", "flap-3"] })
      .catch(() => undefined);
    return true;
  }

  async #terminate(workflowId: string): Promise<boolean> {
    await this.#arena.stage.client.workflow.getHandle(workflowId).terminate("chaos");
    return true;
  }

  /** `temporal workflow reset` to one of its completed workflow tasks. */
  async #reset(workflowId: string, fraction: number): Promise<boolean> {
    const { client } = this.#arena.stage;
    const handle = client.workflow.getHandle(workflowId);
    const { runId } = await handle.describe();
    const { events } = await handle.fetchHistory();
    const tasks = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
    const task = tasks[Math.floor(fraction * tasks.length)];
    if (!task?.eventId) return false;
    await client.workflowService.resetWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId, runId },
      reason: "chaos",
      requestId: randomUUID(),
      workflowTaskFinishEventId: task.eventId,
    });
    return true;
  }

  #connector({ connector }: { connector: number }): TestConnector {
    const found = this.#connectors[connector];
    if (!found) throw new Error(`the round has no connector ${connector}`);
    return found;
  }
}
