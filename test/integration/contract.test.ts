import { afterAll, beforeAll, expect, test } from "vitest";
import { handlerNames, taskQueues, workflowTypes } from "../../src/contracts/temporal-names.ts";
import { startStage, type Stage } from "./harness.ts";
import { ids } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

const group = "6f1a3c52-0b0f-4c6e-9b5a-0f3f6c0d9a11";
const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
  await stage.startWorker();
});
afterAll(() => stage.stop());

test("the temporal command line wakes a connector with SegOps' webhook body as raw JSON", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(10) });
  await connector.ran(1);
  await connector.compute({ enter: ["from-the-command-line"] });
  const body = await connector.webhookBody();
  await stage.temporal("workflow signal", {
    "workflow-id": connector.workflowId,
    name: handlerNames.recompute,
    input: body,
  });
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 1 } });
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
});

test("signal-with-start by the id alone brings back a connector that was terminated", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(10) });
  await connector.ran(1);
  await stage.client.workflow.getHandle(connector.workflowId).terminate("an operator's mistake");
  await connector.compute({ enter: ["after-the-end"] });
  await signalWithStart(connector.workflowId, connector.key, await connector.webhookBody());
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 1 } });
  expect((await connector.describe()).last_run?.number).toBe(2);
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
});

test("a signal to a connector that was never created ends it at once, saying so, and leaves nothing behind", async () => {
  const connector = stage.connector();
  await connector.segment({ members: ids(10) });
  await connector.compute();
  await signalWithStart(connector.workflowId, connector.key, await connector.webhookBody());
  const words: unknown = await stage.client.workflow.getHandle(connector.workflowId).result();
  expect(words).toContain("no such connector was ever created");
  expect(await connector.files(".")).toEqual([]);
});

test("signals of a wrong shape are noted, change nothing and do not crash the connector", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(10) });
  await connector.ran(1);
  const before = await connector.describe();
  const handle = stage.client.workflow.getHandle(connector.workflowId);
  for (const body of ["recompute!", 42, true, ["a list"], { segment_id: connector.id + 1 }]) {
    await handle.signal(handlerNames.recompute, body);
  }
  const { currentDetails } = await handle.query<{ currentDetails: string }>("__temporal_workflow_metadata");
  expect(currentDetails).toContain("5 signals were no recompute and were ignored");
  expect(await connector.describe()).toEqual(before);
  expect(await connector.files("log")).toHaveLength(2);
  // It still listens.
  await connector.recompute({ enter: ["later"] });
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 1 } });
});

test("a signal whose fields are missing or of a wrong type still says: look", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(10) });
  await connector.ran(1);
  await connector.compute({ enter: ["seen"] });
  const handle = stage.client.workflow.getHandle(connector.workflowId);
  await handle.signal(handlerNames.recompute, {
    computed_at: "yesterday",
    member_count: "many",
    colour: "red",
  });
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 1 } });
});

test("connectors and runs are found by their search attributes", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(10) }, {}, { blockedIds: ["user-3"] });
  const { last_synced_at } = await connector.rested(1);
  const here = `SegopsTenant = 'acme' AND SegopsSegment = '${connector.id}'`;
  const listed = (query: string) =>
    eventually(`something is listed by ${query}`, async () => {
      const found = [];
      for await (const { workflowId } of stage.client.workflow.list({ query })) found.push(workflowId);
      return found.length > 0 && found;
    });
  const ofConnector = `ConnectorStatus = 'active' AND LastSyncedAt = '${last_synced_at}'`;
  expect(
    await listed(
      `WorkflowType = 'connector' AND ${here} AND ${ofConnector} AND RunOutcome = 'clean' AND RejectedCount = 1`,
    ),
  ).toEqual([connector.workflowId]);
  expect(
    await listed(`WorkflowType = 'syncRun' AND ${here} AND RunOutcome = 'clean' AND RejectedCount = 1`),
  ).toEqual([`${connector.workflowId}/run/1`]);
});

test("describe answers the view as SegOps' serializers expect it, field by field", async () => {
  const connector = stage.connector();
  await connector.workspace({ blockedIds: ["user-3"] });
  await connector.segment({ name: "High LTV Buyers", members: ids(10) });
  const computedAt = await connector.compute();
  await connector.create({ segment_id: group });
  await connector.rested(1);
  const view: unknown = await stage.client.workflow
    .getHandle(connector.workflowId)
    .query(handlerNames.describe);
  expect(view).toEqual({
    id: connector.id,
    tenant_slug: "acme",
    segment: connector.id,
    segment_name: "High LTV Buyers",
    connector_type: "braze",
    status: "active",
    config: {
      rest_endpoint: stage.stack.brazeUrl,
      api_key: "***",
      segment_id: group,
      attribute_name: connector.attribute,
      exit_mode: "remove",
      create_missing_users: true,
      max_removal_percent: 100,
      requests_per_second: 1000,
      batch_size: 75,
    },
    last_synced_at: isoTime,
    last_error: "",
    last_error_code: "",
    member_count: 10,
    channels: [
      { channel: `attribute:${connector.attribute}`, delivered: 9, rejected: 1, unknown: 0, waiting: 0 },
      { channel: `subscription_group:${group}`, delivered: 10, rejected: 0, unknown: 0, waiting: 0 },
    ],
    pending_removal: null,
    current_run: null,
    last_run: {
      number: 1,
      workflow_id: `${connector.workflowId}/run/1`,
      outcome: "clean",
      reason: "recompute",
      entered: 10,
      exited: 0,
      rejected: 1,
      unknown: 0,
      waiting: 0,
      requests: 2,
      resent: 0,
      computed_at: computedAt,
      member_count: 10,
      segment_name: "High LTV Buyers",
      started_at: isoTime,
      finished_at: isoTime,
      error: null,
    },
  });
});

test("a refused configuration names every field at fault, and nothing is stored", async () => {
  const connector = stage.connector();
  const bad = {
    rest_endpoint: "https://example.com/",
    api_key: "",
    batch_size: 76,
    attribute_name: "Not An Attribute",
    colour: "red",
  };
  const refused = await connector.create(bad as never, {}).then(String, (error: Error) => error.message);
  for (const field of ["rest_endpoint", "api_key", "batch_size", "attribute_name", "colour"]) {
    expect(refused).toContain(field);
  }
  expect(await connector.files(".")).toEqual([]);
});

test("an update of a wrong shape is refused by the connector itself, whoever sends it, and it goes on", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(10) });
  const before = await connector.rested(1);
  const handle = stage.client.workflow.getHandle(connector.workflowId);
  const refusalOf = async (update: string, argument: unknown) => {
    const error = await handle.executeUpdate<unknown, [unknown]>(update, { args: [argument] }).then(
      () => undefined,
      (refusal: Error) => refusal,
    );
    return String((error?.cause as Error | undefined)?.message);
  };
  expect(await refusalOf(handlerNames.configure, { batch_size: 500, colour: "red" })).toMatch(
    /batch_size.*75.*colour/s,
  );
  expect(await refusalOf(handlerNames.configure, { api_key: "a-key-in-clear" })).toMatch(/api_key.*sealed/s);
  expect(await refusalOf(handlerNames.configure, { rest_endpoint: "https://evil.example.com" })).toMatch(
    /rest_endpoint.*not a Braze REST host/s,
  );
  expect(await refusalOf(handlerNames.remove, { cleanUp: true })).toContain("cleanup");
  expect(await connector.describe()).toEqual(before);
  expect(await connector.files("config")).toHaveLength(2);
});

async function signalWithStart(workflowId: string, input: object, body: string): Promise<void> {
  await stage.temporal("workflow signal-with-start", {
    "workflow-id": workflowId,
    type: workflowTypes.connector,
    "task-queue": taskQueues.workflows,
    input: JSON.stringify(input),
    "signal-name": handlerNames.recompute,
    "signal-input": body,
  });
}
