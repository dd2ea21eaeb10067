import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { handlerNames } from "../../src/contracts/temporal-names.ts";
import { startStage, type Stage } from "./harness.ts";
import type { TestConnector } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

const signals = 10_000;
/**
 * `STORM_SECONDS=60` for the minute that is promised, 0 for as fast as they go. Only where it is set: a server gives up a workflow task
 * during which a hundred more signals come, so that on a machine that others keep busy this measures the machine.
 */
const seconds = Number(process.env["STORM_SECONDS"] ?? Number.NaN);
/** One part of 2,000 requests, 8 of them at a time: longer than the storm lasts, until Braze is told to answer at once. */
const users = 20_000;

let stage: Stage;
beforeAll(async () => {
  if (Number.isNaN(seconds)) return;
  stage = await startStage();
  await stage.startWorker();
});
afterAll(async () => {
  await stage?.stop();
});

test.skipIf(Number.isNaN(seconds))(
  "10,000 signals during a run: the newest is delivered, one run follows, and no history comes to 2,000 events",
  async () => {
    const connector = stage.connector();
    await connector.start(
      { generate: { count: users, prefix: "user-" } },
      { batch_size: 10 },
      { answerDelayMs: 400 },
    );
    await eventually("the run is sending", async () => (await connector.requests()) > 0);
    const begunAt = Date.parse((await connector.describe()).current_run?.started_at ?? "");

    const since = Date.now();
    await storm(connector, begunAt);
    const tookSeconds = (Date.now() - since) / 1000;
    expect((await connector.describe()).current_run?.number).toBe(1);
    await connector.workspace({ answerDelayMs: 0 });
    const newest = JSON.parse(await connector.webhookBody()) as { computed_at: string };
    expect(await connector.ran(2)).toMatchObject({ recompute: { computed_at: newest.computed_at } });
    await delay(2_000);

    expect((await connector.rested(2)).last_run?.number).toBe(2);
    expect(await connector.differing()).toEqual({ missing: [], extra: [] });
    const lengths = await historyLengths(connector);
    console.log(
      `${signals} signals in ${tookSeconds.toFixed(1)} s; histories of ${lengths.join(", ")} events`,
    );
    expect(lengths.reduce((sum, length) => sum + length)).toBeGreaterThan(signals);
    expect(Math.max(...lengths)).toBeLessThan(2_000);
  },
);

/** Raw signals, as another SDK sends them: ever newer ones, a little out of order, and as the last but some what SegOps really computed. */
async function storm(connector: TestConnector, begunAt: number): Promise<void> {
  const handle = stage.client.workflow.getHandle(connector.workflowId);
  const since = Date.now();
  let next = 0;
  const lane = async () => {
    while (next < signals) {
      const n = next++;
      const waitMs = since + (n * seconds * 1000) / signals - Date.now();
      if (waitMs > 0) await delay(waitMs);
      // Earlier than what SegOps computes below, and later than what the run was for.
      const computed_at = new Date(begunAt + Math.floor((n ^ 3) / 100)).toISOString();
      await handle.signal(handlerNames.recompute, { segment_id: connector.id, computed_at });
      if (n === signals - 100) await connector.recompute({ exitFirst: 50 });
    }
  };
  await Promise.all(Array.from({ length: 64 }, lane));
}

/** Events of each execution of the connector, from the first on. */
async function historyLengths(connector: TestConnector): Promise<number[]> {
  const { workflow } = stage.client;
  const { raw } = await workflow.getHandle(connector.workflowId).describe();
  const lengths: number[] = [];
  let runId = raw.workflowExecutionInfo?.firstRunId;
  while (runId) {
    const { events } = await workflow.getHandle(connector.workflowId, runId).fetchHistory();
    lengths.push(events?.length ?? 0);
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return lengths;
}
