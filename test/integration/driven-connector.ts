import { activityInfo, heartbeat, sleep } from "@temporalio/activity";
import {
  isGrpcCancelledError,
  isGrpcDeadlineError,
  WorkflowFailedError,
  WithStartWorkflowOperation,
  type WorkflowHandle,
} from "@temporalio/client";
import { ApplicationFailure, type Workflow } from "@temporalio/common";
import { createSealingKeys, sealKey } from "../../src/braze/sealed-key.ts";
import type { ConfigChange } from "../../src/contracts/connector-config.ts";
import { connectorWorkflowId, runWorkflowId, type ConnectorKey } from "../../src/contracts/connector-id.ts";
import { handlerNames, taskQueues, workflowTypes } from "../../src/contracts/temporal-names.ts";
import type { ConnectorView, RunProgress } from "../../src/contracts/view.ts";
import type { FakeConnector } from "./fake-connector.ts";
import type { WorkflowStage } from "./workflow-stage.ts";

/** What must never be seen in clear. */
export const clearKey = "canary-0b6e7c1d-rest-key";

const { publicKeys } = await createSealingKeys();
let lastSegment = 0;

/** A connector as SegOps and operators drive it, each test's its own, and the fake behind it. */
export class DrivenConnector {
  readonly key: ConnectorKey;
  readonly id: string;
  readonly fake: FakeConnector;
  readonly #stage: WorkflowStage;

  constructor(stage: WorkflowStage) {
    this.#stage = stage;
    this.key = { tenant_slug: "acme", segment_id: ++lastSegment };
    this.id = connectorWorkflowId(this.key);
    this.fake = stage.fakes.connectorOf(this.key);
  }

  get handle(): WorkflowHandle {
    return this.#stage.env.client.workflow.getHandle(this.id);
  }

  run(number: number): WorkflowHandle {
    return this.#stage.env.client.workflow.getHandle(runWorkflowId(this.key, number));
  }

  /** Signal-with-start with the id alone, as SegOps' webhook does. */
  async signal(...body: unknown[]): Promise<void> {
    await this.#stage.env.client.workflow.signalWithStart(workflowTypes.connector, {
      ...this.#startOptions(),
      signal: handlerNames.recompute,
      signalArgs: body,
    });
  }

  /** SegOps computed the segment anew, and says so. */
  async recompute(computedAt: string): Promise<void> {
    this.fake.segment.computedAt = computedAt;
    await this.signal({
      event: "segment.recomputed",
      segment_id: this.key.segment_id,
      computed_at: computedAt,
    });
  }

  async updateWithStart(name: string, ...args: unknown[]): Promise<ConnectorView> {
    const startWorkflowOperation = new WithStartWorkflowOperation(workflowTypes.connector, {
      ...this.#startOptions(),
      workflowIdConflictPolicy: "USE_EXISTING",
    });
    const { workflow } = this.#stage.env.client;
    return await workflow.executeUpdateWithStart<Workflow, ConnectorView, unknown[]>(name, {
      args,
      startWorkflowOperation,
    });
  }

  async update(name: keyof typeof handlerNames, ...args: unknown[]): Promise<ConnectorView> {
    return await this.handle.executeUpdate<ConnectorView, [unknown, ...unknown[]]>(name, {
      args: args as [unknown, ...unknown[]],
    });
  }

  async configure(change: ConfigChange = {}): Promise<ConnectorView> {
    const rest_endpoint = "https://rest.iad-01.braze.com";
    const sealedFor = { connector: this.id, host: new URL(rest_endpoint).host };
    const api_key = await sealKey(clearKey, sealedFor, publicKeys);
    return await this.updateWithStart(handlerNames.configure, { rest_endpoint, api_key, ...change });
  }

  /** Created and active; its segment was never computed unless the test said so before. */
  async activated(): Promise<this> {
    await this.configure();
    await this.update("activate");
    await until("the first look", () => this.fake.counts.looks > 0);
    return this;
  }

  /** Active, with one clean run behind it. */
  async delivered(computedAt: string): Promise<this> {
    await this.activated();
    await this.recompute(computedAt);
    await this.untilRuns(1);
    return this;
  }

  async describe(): Promise<ConnectorView> {
    return await this.#ask(this.handle, handlerNames.describe);
  }

  async progress(number: number): Promise<RunProgress> {
    return await this.#ask(this.run(number), handlerNames.progress);
  }

  /** What the Temporal UI shows of it. */
  async details(): Promise<string> {
    const metadata = await this.#ask<{ currentDetails: string }>(this.handle, "__temporal_workflow_metadata");
    return metadata.currentDetails;
  }

  /** The connector has heard of the end of so many runs, and is at rest. */
  async untilRuns(count: number): Promise<ConnectorView> {
    let view: ConnectorView | undefined;
    await until(`${count} runs to end`, async () => {
      view = await this.describe();
      // A history that has just begun knows of no run before it has read its log.
      return this.fake.closed().length >= count && view.current_run === null && view.last_run !== null;
    });
    return view as ConnectorView;
  }

  /** Ended while it is at rest, its log kept. */
  async stopped(): Promise<void> {
    await this.handle.cancel();
    await this.handle.result().catch((error: unknown) => {
      if (!(error instanceof WorkflowFailedError)) throw error;
    });
  }

  /** The time-skipping server never answers a query that was open as a workflow continued as new: asked once more. */
  async #ask<Answer>(handle: WorkflowHandle, query: string): Promise<Answer> {
    const { client } = this.#stage.env;
    for (;;) {
      try {
        return await client.withDeadline(Date.now() + 2_000, () => handle.query<Answer>(query));
      } catch (error) {
        if (!isGrpcDeadlineError(error) && !isGrpcCancelledError(error)) throw error;
      }
    }
  }

  #startOptions() {
    return { workflowId: this.id, taskQueue: taskQueues.workflows, args: [this.key] as [ConnectorKey] };
  }
}

/** Asks every few milliseconds until it is so; says what it waited for if it never is. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Holds whoever waits for it until it is opened. */
export function gate(): { open: () => void; opened: Promise<void> } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

/** Inside an activity: goes on reporting, so that a cancellation arrives, and ends with it. */
export async function untilCancelled(details?: unknown): Promise<never> {
  for (;;) {
    heartbeat(details ?? activityInfo().heartbeatDetails);
    await sleep(20);
  }
}

/** The code of a refused update or a failed workflow, wherever in the chain of causes it stands. */
export async function refusalOf(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await call;
  } catch (error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      if (cause instanceof ApplicationFailure) return { code: cause.type ?? "", message: cause.message };
    }
    throw error;
  }
  throw new Error("it was not refused");
}
