import { setTimeout as delay } from "node:timers/promises";
import { WorkflowNotFoundError, type WorkflowHandle } from "@temporalio/client";
import { tenant } from "../../sandbox/stack-environment.ts";
import type { ConnectorSettings } from "../../src/client.ts";
import { connectorWorkflowId, runWorkflowId, type ConnectorKey } from "../../src/contracts/connector-id.ts";
import type { RunOutcome } from "../../src/contracts/log.ts";
import type { CommittedRun } from "../../src/contracts/run.ts";
import { handlerNames } from "../../src/contracts/temporal-names.ts";
import type { RecordingStage } from "./recording-stage.ts";

const pollMs = 100;
const patienceMs = 90_000;

/** One connector of a scenario: its segment at SegOps, its workspace at Braze, and what SegOps and an operator do to it. */
export class RecordedConnector {
  readonly key: ConnectorKey;
  readonly brazeKey: string;
  readonly stage: RecordingStage;
  #lastNumber = 0;
  #changes = 0;

  constructor(stage: RecordingStage, segmentId: number) {
    this.stage = stage;
    this.key = { tenant_slug: tenant, segment_id: segmentId };
    this.brazeKey = `braze-key-${segmentId}`;
  }

  get handle(): WorkflowHandle {
    return this.stage.client.workflow.getHandle(connectorWorkflowId(this.key));
  }

  /** How many runs it has had. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** Its workflow has continued as new. */
  async historyIsNew(): Promise<boolean> {
    const { runId, raw } = await this.handle.describe();
    return runId !== raw.workflowExecutionInfo?.firstRunId;
  }

  run(number: number): WorkflowHandle {
    return this.stage.client.workflow.getHandle(runWorkflowId(this.key, number));
  }

  /** A segment that SegOps has computed, an empty workspace, and an active connector between them. */
  async create(users: number, settings: Partial<ConnectorSettings> = {}): Promise<void> {
    const { segops, braze, brazeUrl } = this.stage.stack;
    await braze.putWorkspace({ key: this.brazeKey });
    await segops.putSegment(tenant, this.key.segment_id, {
      name: "High LTV Buyers",
      generate: { count: users, prefix: `user-${this.key.segment_id}-` },
    });
    await segops.recompute(tenant, this.key.segment_id);
    await this.stage.connectors.create(
      this.key,
      { rest_endpoint: brazeUrl, api_key: this.brazeKey, ...settings },
      { activate: true },
    );
  }

  /** People leave and others come: `late-<segment>-<how many changes>-<0, 1, …>`. */
  async change(exited: number, entered: number): Promise<void> {
    const prefix = `late-${this.key.segment_id}-${++this.#changes}-`;
    const enterGenerate = { count: entered, prefix };
    await this.stage.stack.segops.change(tenant, this.key.segment_id, { exitFirst: exited, enterGenerate });
  }

  /** SegOps computes the segment anew and sends its webhook, whose body is answered. */
  async recompute(): Promise<unknown> {
    const { segops } = this.stage.stack;
    await segops.recompute(tenant, this.key.segment_id);
    const body: unknown = JSON.parse(await segops.webhookBody(tenant, this.key.segment_id));
    await this.stage.connectors.recompute(body);
    return body;
  }

  async signal(body: unknown): Promise<void> {
    await this.handle.signal(handlerNames.recompute, body);
  }

  /** Waits for the end of the next run. Throws when it ends otherwise than said: a history must be what its name says. */
  async untilRunEnded(outcome: RunOutcome): Promise<void> {
    const number = ++this.#lastNumber;
    await eventually(`run ${number} of segment ${this.key.segment_id} begins`, () =>
      exists(this.run(number)),
    );
    const { summary } = (await this.run(number).result()) as CommittedRun;
    if (summary.outcome !== outcome)
      throw new Error(`run ${number} was to end ${outcome}: ${JSON.stringify(summary)}`);
    await this.untilQuiet();
  }

  /** Nothing is under way that would still write to the connector's history. */
  async untilQuiet(): Promise<void> {
    await eventually(`segment ${this.key.segment_id} is quiet`, async () => {
      const { raw } = await this.handle.describe();
      const pending = [...(raw.pendingActivities ?? []), ...(raw.pendingChildren ?? [])];
      return pending.length === 0 && !raw.pendingWorkflowTask;
    });
  }

  /** Waits until the next run has begun to send. */
  async untilSending(): Promise<void> {
    await eventually(`segment ${this.key.segment_id} is sending`, async () => {
      const { current_run } = await this.stage.connectors.describe(this.key);
      return current_run?.progress?.phase === "tracking entered users";
    });
  }

  /** Ends the run under way without a word. */
  async terminateRun(): Promise<void> {
    await this.run(++this.#lastNumber).terminate("a person did it");
  }
}

async function exists(handle: WorkflowHandle): Promise<boolean> {
  try {
    await handle.describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Asks until the answer is yes; throws, saying what did not come, after a minute and a half. */
export async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s in vain: ${what}`);
    await delay(pollMs);
  }
}
