import { WorkflowFailedError, WorkflowUpdateFailedError } from "@temporalio/client";
import { RawValue } from "@temporalio/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { handlerNames } from "../../src/contracts/temporal-names.ts";
import { DrivenConnector, gate, until, untilCancelled } from "./driven-connector.ts";
import { settledUpTo } from "./fake-connector.ts";
import { bundleWorkflows, startDevServer, type WorkflowStage } from "./workflow-stage.ts";

// A run that goes on while its connector continues as new. On the dev server: the time-skipping one stalls where a message
// meets continue-as-new.

const t1 = "2026-05-01T10:00:00Z";
const t2 = "2026-05-01T11:00:00Z";
const t3 = "2026-05-01T12:00:00Z";

let stage: WorkflowStage;
beforeAll(async () => {
  stage = await startDevServer(await bundleWorkflows());
});
afterAll(async () => {
  await stage?.stop();
});

/** Run 2, for `t2`, is sending until `held` opens or it is cancelled, and its connector begins a new history past 60 events. */
async function sending(): Promise<{ connector: DrivenConnector; held: ReturnType<typeof gate> }> {
  const connector = new DrivenConnector(stage);
  connector.fake.pace.eventsPerHistory = 60;
  await connector.delivered(t1);
  const held = gate();
  connector.fake.on.send = () =>
    Promise.race([held.opened, untilCancelled()]).catch(() => ({ progress: settledUpTo(4), done: false }));
  await connector.recompute(t2);
  await until("the run to send", () => connector.fake.sent.length === 2);
  return { connector, held };
}

/** Signals that start nothing, until they led to a new history whose log is read. */
async function newHistory(connector: DrivenConnector): Promise<void> {
  const { runId } = await connector.handle.describe();
  await until("a new history", async () => {
    for (let n = 0; n < 10; n++) await connector.signal({ computed_at: t1 });
    return (await connector.handle.describe()).runId !== runId;
  });
  await until("its log to be read", async () => (await connector.describe()).status === "active");
}

/** The same under way in a connector that is not its parent. */
async function leftBehind(): Promise<{ connector: DrivenConnector; held: ReturnType<typeof gate> }> {
  const { connector, held } = await sending();
  await newHistory(connector);
  expect((await connector.describe()).current_run).toMatchObject({ number: 2, computed_at: t2 });
  return { connector, held };
}

test("a run goes on over continue-as-new, and its end is adopted as if nothing had been", async () => {
  const { connector, held } = await leftBehind();
  await newHistory(connector);
  await newHistory(connector);
  held.open();
  const view = await connector.untilRuns(2);
  expect(view.last_run).toMatchObject({ number: 2, outcome: "clean", reason: "recompute", computed_at: t2 });
  expect(connector.fake.counts).toMatchObject({ closes: 0, fetches: 2 });
  await connector.recompute(t3);
  expect((await connector.untilRuns(3)).last_run).toMatchObject({ number: 3, computed_at: t3 });
});

test("what is signalled before and after continue-as-new is served by exactly one more run", async () => {
  const { connector, held } = await sending();
  await connector.recompute("2026-05-01T11:30:00Z");
  await newHistory(connector);
  await connector.recompute(t3);
  held.open();
  const view = await connector.untilRuns(3);
  expect(view.last_run).toMatchObject({ number: 3, outcome: "clean", computed_at: t3 });
  expect(connector.fake.begun).toBe(3);
});

test("a run that dies after it was left behind is closed in the log as it is asked to report, and another follows", async () => {
  const { connector } = await leftBehind();
  await connector.run(2).terminate();
  connector.fake.on = {};
  await newHistory(connector);
  const view = await connector.untilRuns(3);
  const codes = connector.fake.closed().map((run) => run.summary.error?.code);
  expect(codes).toEqual([undefined, "run_abandoned", undefined]);
  expect(view.last_run).toMatchObject({ number: 3, outcome: "clean", computed_at: t2 });
});

test("deactivate stops a run that was left behind, and what it settled is committed", async () => {
  const { connector } = await leftBehind();
  expect((await connector.update("deactivate")).status).toBe("inactive");
  const view = await connector.untilRuns(2);
  expect(view).toMatchObject({ status: "inactive", last_run: { error: { code: "run_cancelled" } } });
  expect(connector.fake.lastRun?.handedIn?.parts).toMatchObject([
    { reported: true, progress: { cursor: 4 } },
  ]);
});

test("a removed connector ends only after the run that it left behind", async () => {
  const { connector } = await leftBehind();
  await connector.update("remove");
  expect(await connector.handle.result()).toBe("the connector was removed");
  expect(connector.fake.outcomes).toEqual(["clean", "partial"]);
});

test.each([
  ["child", false],
  ["run that was left behind", true],
])("deactivate stops a %s that somebody reset while it was fetching", async (_what, isLeftBehind) => {
  const connector = new DrivenConnector(stage);
  connector.fake.pace.eventsPerHistory = 60;
  await connector.delivered(t1);
  connector.fake.on.fetchMembership = () => untilCancelled();
  await connector.recompute(t2);
  await until("the run to fetch", () => connector.fake.begun === 2);
  if (isLeftBehind) await newHistory(connector);
  await reset(connector, 2);
  await until("the run to fetch again", () => connector.fake.begun === 3);
  await connector.update("deactivate");
  const view = await connector.untilRuns(2);
  expect(view).toMatchObject({
    status: "inactive",
    last_run: { number: 2, error: { code: "run_cancelled" } },
  });
  expect(connector.fake.counts.closes).toBe(0);
});

test("an update under way holds continue-as-new back, and is answered", async () => {
  const { connector, held } = await sending();
  const { runId } = await connector.handle.describe();
  const writing = gate();
  let begun = false;
  connector.fake.on.writeConfig = async () => {
    begun = true;
    await writing.opened;
  };
  const answer = connector.update("configure", { batch_size: 10 });
  await until("the update to be at work", () => begun);
  for (let n = 0; n < 80; n++) await connector.signal({ computed_at: t1 });
  const described = await connector.handle.describe();
  expect(described.runId).toBe(runId);
  expect(described.historyLength).toBeGreaterThan(80);
  writing.open();
  expect((await answer).config.batch_size).toBe(10);
  await until("a new history", async () => (await connector.handle.describe()).runId !== runId);
  held.open();
  expect((await connector.untilRuns(3)).last_run).toMatchObject({ number: 3, reason: "config" });
});

test("a connector that is cancelled stops the run that it follows, and comes back with the next recompute", async () => {
  const { connector } = await leftBehind();
  await connector.handle.cancel();
  await expect(connector.handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
  await until("the run to commit", () => connector.fake.outcomes.length === 2);
  connector.fake.on = {};
  await connector.recompute(t3);
  expect((await connector.untilRuns(3)).last_run).toMatchObject({ outcome: "clean", computed_at: t3 });
});

test("a connector that is terminated leaves a run that goes on: its log is closed, and the next run ends clean", async () => {
  const { connector, held } = await sending();
  await connector.handle.terminate();
  expect((await connector.run(2).describe()).status.name).toBe("RUNNING");
  connector.fake.on = {};
  await connector.recompute(t3);
  const view = await connector.untilRuns(3);
  expect(view.last_run).toMatchObject({ number: 3, outcome: "clean", computed_at: t3 });
  held.open();
  expect(await connector.run(2).result()).toMatchObject({ summary: { outcome: "superseded" } });
  expect(connector.fake.outcomes).toEqual(["clean", "partial", "clean"]);
});

test("a connector terminated while its run fetches does not run beside it", async () => {
  const connector = await new DrivenConnector(stage).delivered(t1);
  const held = gate();
  connector.fake.on.fetchMembership = () => held.opened;
  await connector.recompute(t2);
  await until("the run to fetch", () => connector.fake.begun === 2);
  await connector.handle.terminate();
  connector.fake.on = {};
  await connector.recompute(t3);
  const view = await connector.untilRuns(3);
  expect(view.last_run).toMatchObject({ number: 3, outcome: "clean", computed_at: t3 });
  held.open();
  expect(await connector.run(2).result()).toMatchObject({ summary: { outcome: "superseded" } });
});

/** As any SDK may send it by mistake: said to be JSON, and none. */
const notJson = RawValue.fromPayload({
  metadata: { encoding: Buffer.from("json/plain") },
  data: Buffer.from("{computed_at:"),
});

test("a signal that cannot be decoded is counted, and harms neither connector nor run", async () => {
  const { connector, held } = await sending();
  await connector.signal(notJson);
  await connector.signal({}, notJson);
  await connector.handle.signal(handlerNames.runEnded, notJson);
  await connector.run(2).signal(handlerNames.newerMembership, notJson);
  await connector.run(2).signal(handlerNames.attached, notJson);
  held.open();
  await connector.untilRuns(3);
  expect(await connector.details()).toContain("1 signals were no recompute");
  for (const handle of [connector.handle, connector.run(2)]) {
    const { events } = await handle.fetchHistory();
    expect(events?.filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
  }
});

test.each(["configure", "remove", "approveRemoval", "activate"] as const)(
  "%s with an argument that cannot be decoded is refused",
  async (name) => {
    const connector = await new DrivenConnector(stage).activated();
    await expect(connector.update(name, notJson)).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    expect(connector.fake.configs).toHaveLength(2);
    expect((await connector.describe()).status).toBe("active");
  },
);

/** To its first task, as an operator does it in the Temporal UI. */
async function reset(connector: DrivenConnector, number: number): Promise<void> {
  const { connection, namespace } = stage.env;
  const run = connector.run(number);
  const { events } = await run.fetchHistory();
  const task = events?.find((event) => event.workflowTaskCompletedEventAttributes);
  await connection.workflowService.resetWorkflowExecution({
    namespace: namespace ?? "default",
    workflowExecution: { workflowId: run.workflowId },
    reason: "a person did it",
    workflowTaskFinishEventId: task?.eventId,
    requestId: `${run.workflowId} reset`,
  });
}
