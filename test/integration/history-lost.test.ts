import { copyFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { Client, Connection } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Process } from "../../sandbox/process.ts";
import { startTemporalServer } from "../../sandbox/temporal/server.ts";
import { registerSearchAttributes } from "../../src/cli/search-attributes.ts";
import { createConnectors } from "../../src/client.ts";
import { runWorkflowId } from "../../src/contracts/connector-id.ts";
import { startStage, type Stage } from "./harness.ts";
import { ids, type TestConnector } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

const nothing = { missing: [], extra: [] };
const members = ids(300);

let stage: Stage;
let worker: Process;
beforeAll(async () => {
  // A part looks at the log every other second, and what it wrote is left alone for longer than that.
  stage = await startStage({ keepTemporal: true, env: { PART_SECONDS: "2", QUIET_WINDOW_SECONDS: "4" } });
  worker = await stage.startWorker();
});
afterAll(() => stage.stop());

/** A connector after three runs, which sent seven requests. */
async function threeRuns(): Promise<TestConnector> {
  const connector = stage.connector();
  await connector.start({ members });
  await connector.ran(1);
  await twoMore(connector);
  return connector;
}

async function twoMore(connector: TestConnector): Promise<void> {
  await connector.recompute({ enter: ["second"] });
  await connector.ran(2);
  await connector.recompute({ enter: ["third"] });
  await connector.ran(3);
}

/** `temporal workflow reset` to the first of its workflow tasks that ended. */
async function reset(workflowId: string): Promise<void> {
  const handle = stage.client.workflow.getHandle(workflowId);
  const [{ runId }, { events }] = [await handle.describe(), await handle.fetchHistory()];
  const first = (events ?? []).find((event) => event.workflowTaskCompletedEventAttributes);
  await stage.client.workflowService.resetWorkflowExecution({
    namespace: stage.client.options.namespace,
    workflowExecution: { workflowId, runId },
    reason: "an operator's try",
    requestId: randomUUID(),
    workflowTaskFinishEventId: first?.eventId ?? null,
  });
}

/** Every number is one run's: closed once, by the run that planned it or by whoever found it dead. */
async function expectEachRunOnce(connector: TestConnector, runs: number): Promise<void> {
  const logged = await connector.log.runs({ limit: 100 });
  expect(logged.map(({ number }) => number)).toEqual(
    Array.from({ length: runs }, (_, index) => runs - index),
  );
  const closers = logged.map(({ plan, commit }) =>
    commit?.reason === "abandoned" ? (plan?.run_id ?? "no plan") : (commit?.run_id ?? "not closed"),
  );
  expect(closers).toEqual(logged.map(({ plan, commit }) => plan?.run_id ?? commit?.run_id));
}

/** One more change is one more run, which writes it and nothing else. */
async function expectGoesOn(connector: TestConnector, number: number): Promise<void> {
  const before = await connector.requests();
  await connector.recompute({ enter: ["later"] });
  const commit = await connector.ran(number);
  expect(commit).toMatchObject({ outcome: "clean", counts: { entered: 1, exited: 0, unknown: 0 } });
  expect(await connector.requests()).toBe(before + 1);
  expect(await connector.differing()).toEqual(nothing);
  await expectEachRunOnce(connector, number);
}

test("a connector that is reset to its beginning adopts its log, sends nothing again, and goes on", async () => {
  const connector = await threeRuns();
  const [requests, settings] = [await connector.requests(), await connector.files("config")];
  await reset(connector.workflowId);
  await connector.recompute({ enter: ["later"] });
  // The updates of the history that was cut off are applied again: they change nothing, and at most a run without a request follows.
  await eventually("it rests again", async () => {
    const [view, { lastNumber }] = [await connector.describe(), await connector.log.end()];
    const isAtRest = view.current_run === null && view.last_run?.number === lastNumber;
    return isAtRest && lastNumber > 3 && (await connector.inBraze()).includes("later");
  });
  expect(await connector.requests()).toBe(requests + 1);
  expect(await connector.files("config")).toEqual(settings);
  expect(await connector.differing()).toEqual(nothing);
  await expectEachRunOnce(connector, (await connector.log.end()).lastNumber);
});

test("a closed run that is reset finds its number taken, and sends nothing", async () => {
  const connector = await threeRuns();
  const [requests, log] = [await connector.requests(), await connector.files("log")];
  const run = runWorkflowId(connector.key, 2);
  await reset(run);
  const { outcome } = await stage.client.workflow
    .getHandle(run)
    .result()
    .then((result: { summary: { outcome: string } }) => result.summary);
  expect(outcome).toBe("superseded");
  expect(await connector.requests()).toBe(requests);
  expect(await connector.files("log")).toEqual(log);
  await expectGoesOn(connector, 4);
});

test("a run that dies after its plan claims nothing: all that was planned is unknown, and written again", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(3_000) }, { batch_size: 10 }, { answerDelayMs: 200 });
  await eventually("something is sent", async () => (await connector.requests()) > 8);
  await stage.client.workflow.getHandle(runWorkflowId(connector.key, 1)).terminate("by the test");
  expect(await connector.committed(1)).toMatchObject({ reason: "abandoned", counts: { unknown: 3_000 } });
  await connector.workspace({ answerDelayMs: 0 });
  await eventually("everybody is written", async () => {
    const { commit } = await connector.log.end();
    return commit?.outcome === "clean" && commit.counts.waiting === 0;
  });
  expect(await connector.differing()).toEqual(nothing);
  expect(await connector.exceptions()).toEqual([]);
});

/** Temporal's database and what SQLite keeps beside it. */
async function databaseFiles(): Promise<string[]> {
  return (await readdir(stage.dir))
    .filter((name) => name.startsWith("temporal.db"))
    .map((name) => join(stage.dir, name));
}

test("a Temporal database restored from an older copy finds the log ahead of it, adopts it and goes on", async () => {
  const connector = stage.connector();
  await connector.start({ members });
  await connector.ran(1);
  const started = await stage.killTemporal();
  const copies = (await databaseFiles()).map((path) => [path, `${path}.copy`] as const);
  for (const [path, copy] of copies) await copyFile(path, copy.replace("temporal.db", "older.db"));
  await started();
  await twoMore(connector);

  await worker.stop();
  const restarted = await stage.killTemporal();
  for (const path of await databaseFiles()) await rm(path);
  for (const [path, copy] of copies) await copyFile(copy.replace("temporal.db", "older.db"), path);
  await restarted();
  expect((await stage.client.workflow.getHandle(connector.workflowId).describe()).status.name).toBe(
    "RUNNING",
  );
  worker = await stage.startWorker();
  await expectGoesOn(connector, 4);
});

test("an empty Temporal database: the next signal brings a connector back from its log", async () => {
  const connector = await threeRuns();
  await worker.stop();
  const restarted = await stage.killTemporal();
  for (const path of await databaseFiles()) await rm(path);
  await restarted();
  await stage.stack.setup();
  worker = await stage.startWorker();
  const handle = stage.client.workflow.getHandle(connector.workflowId);
  await expect(handle.describe()).rejects.toMatchObject({ name: "WorkflowNotFoundError" });
  await expectGoesOn(connector, 4);
});

test("two Temporal clusters on one storage: one run per number, nothing lost, and Braze right in the end", async () => {
  const connector = await threeRuns();
  const other = await startTemporalServer();
  const connection = await Connection.connect({ address: other.address });
  try {
    const client = new Client({ connection });
    await registerSearchAttributes(client);
    const there = createConnectors({ client });
    const second = await stage.stack.startWorker({ TEMPORAL_ADDRESS: other.address });
    for (let round = 0; round < 6; round++) {
      await connector.compute({ enter: [`late-${round}`], exit: [`user-${round}`, `late-${round - 2}`] });
      const body = JSON.parse(await connector.webhookBody()) as Record<string, unknown>;
      await Promise.all([connector.signal(), there.recompute(body)]);
    }
    await eventually("both rest, and Braze is right", async () => {
      const views = [await connector.describe(), await there.describe(connector.key)];
      const { commit } = await connector.log.end();
      const isAtRest = views.every((view) => view.current_run === null) && commit?.counts.waiting === 0;
      return isAtRest && (await connector.differing()).missing.length === 0;
    });
    expect(await connector.differing()).toEqual(nothing);
    expect(await connector.exceptions()).toEqual([]);
    const { lastNumber } = await connector.log.end();
    await expectEachRunOnce(connector, lastNumber);
    // Both had a part in it.
    const opened = await client.workflow.getHandle(connector.workflowId).describe();
    expect(opened.status.name).toBe("RUNNING");
    await second.stop();
  } finally {
    await connection.close();
    await other.stop();
  }
});
