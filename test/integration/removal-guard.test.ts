import { afterAll, beforeAll, expect, test } from "vitest";
import { startStage, type Stage } from "./harness.ts";
import { ids, type TestConnector } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

const group = "6f1a3c52-0b0f-4c6e-9b5a-0f3f6c0d9a11";
const guarded = { max_removal_percent: 30 };
const members = ids(400);

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
  await stage.startWorker();
});
afterAll(() => stage.stop());

/** A connector that has delivered 400 members, its guard on. */
async function delivered(settings = {}): Promise<TestConnector> {
  const connector = stage.connector();
  await connector.start({ members }, { ...guarded, ...settings });
  expect(await connector.ran(1)).toMatchObject({ outcome: "clean", counts: { entered: 400 } });
  return connector;
}

async function pendingOf(connector: TestConnector): Promise<{ digest: string; users: number }> {
  const { pending_removal: pending } = await connector.describe();
  if (!pending) throw new Error("nothing is held");
  return pending;
}

async function removed(connector: TestConnector): Promise<void> {
  await eventually("the connector is removed", async () => {
    const { status } = await stage.client.workflow.getHandle(connector.workflowId).describe();
    return status.name === "COMPLETED";
  });
}

test("a recompute that would remove 60 % is held; approving it removes exactly that set, whatever is held by then", async () => {
  const connector = await delivered();
  const computedAt = await connector.recompute({ exitFirst: 240, enter: ["new"] });
  expect(await connector.ran(2)).toMatchObject({
    outcome: "held",
    counts: { entered: 1, exited: 0, waiting: 240 },
  });
  const first = await pendingOf(connector);
  expect(first).toEqual({ digest: expect.stringMatching(/^[0-9a-f]{64}$/), users: 240 });
  expect(await connector.describe()).toMatchObject({ status: "active", last_error: "" });
  expect(await connector.differing()).toEqual({ missing: [], extra: members.slice(0, 240).toSorted() });

  // The same again is the same, and sends nothing.
  const requests = await connector.requests();
  expect(await connector.recompute()).not.toBe(computedAt);
  expect(await connector.ran(3)).toMatchObject({ outcome: "held", counts: { requests: 0 } });
  expect(await pendingOf(connector)).toEqual(first);
  expect(await connector.requests()).toBe(requests);

  await connector.recompute({ exitFirst: 130 });
  await connector.ran(4);
  const wider = await pendingOf(connector);
  expect(wider).toMatchObject({ users: 370 });
  expect(wider.digest).not.toBe(first.digest);

  await stage.connectors.approveRemoval(connector.key, first.digest);
  const approved = await connector.ran(5);
  expect(approved).toMatchObject({ reason: "approved", outcome: "held", counts: { exited: 240 } });
  expect(await connector.inBraze()).toEqual([...members.slice(240), "new"].toSorted());
  const rest = await pendingOf(connector);
  expect(rest).toMatchObject({ users: 130 });

  await stage.connectors.approveRemoval(connector.key, rest.digest);
  expect(await connector.ran(6)).toMatchObject({ outcome: "clean", counts: { exited: 130, waiting: 0 } });
  expect(await connector.describe()).toMatchObject({ pending_removal: null });
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
});

test("exits that were held are taken back when SegOps names the users again, and Braze hears nothing of it", async () => {
  const connector = await delivered();
  await connector.recompute({ exitFirst: 240 });
  await connector.ran(2);
  const requests = await connector.requests();
  await connector.recompute({ enter: members.slice(0, 240) });
  expect(await connector.ran(3)).toMatchObject({ outcome: "no_change", counts: { waiting: 0 } });
  expect(await connector.describe()).toMatchObject({ pending_removal: null });
  expect(await connector.requests()).toBe(requests);
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
});

test("a segment that comes back empty clears nobody, and a terminated connector still knows what is held", async () => {
  const connector = await delivered({ max_removal_percent: 100 });
  await connector.recompute({ exitFirst: 400 });
  expect(await connector.ran(2)).toMatchObject({ outcome: "held", counts: { exited: 0 } });
  expect(await connector.inBraze()).toHaveLength(400);
  const held = await pendingOf(connector);
  await stage.client.workflow.getHandle(connector.workflowId).terminate("by the test");
  await stage.connectors.approveRemoval(connector.key, held.digest);
  expect(await connector.ran(3)).toMatchObject({ outcome: "clean", counts: { exited: 400 } });
  expect(await connector.inBraze()).toEqual([]);
});

test("a digest that names nothing held is refused, and lets nobody go", async () => {
  const connector = await delivered();
  await connector.recompute({ exitFirst: 240 });
  await connector.ran(2);
  for (const digest of ["0".repeat(64), "short"]) {
    await expect(stage.connectors.approveRemoval(connector.key, digest)).rejects.toMatchObject({
      code: "config_invalid",
    });
  }
  expect(await connector.inBraze()).toHaveLength(400);
  expect((await connector.log.end()).lastNumber).toBe(2);
});

test("a subscription group that is removed from the settings is not held: everyone is unsubscribed", async () => {
  const connector = await delivered({ segment_id: group });
  expect(await connector.inGroup(group)).toHaveLength(400);
  await connector.configure({ segment_id: null });
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean" });
  expect(await connector.inGroup(group)).toEqual([]);
  expect(await connector.inBraze()).toHaveLength(400);
});

test("a removal with cleanup is not held, not even what was, and a connector created again begins from nothing", async () => {
  const connector = await delivered();
  await connector.recompute({ exitFirst: 240 });
  await connector.ran(2);
  await stage.connectors.remove(connector.key, { cleanup: true });
  expect(await connector.committed(3)).toMatchObject({
    reason: "remove",
    outcome: "clean",
    counts: { exited: 400 },
  });
  expect(await connector.inBraze()).toEqual([]);
  await removed(connector);
  await expect(connector.describe()).rejects.toMatchObject({ code: "connector_not_found" });

  await connector.create(guarded);
  expect(await connector.ran(4)).toMatchObject({ outcome: "clean", counts: { entered: 160, exited: 0 } });
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
});

test("removed without cleanup, Braze keeps what it has, and a connector created again writes what changed since", async () => {
  const connector = await delivered();
  await stage.connectors.remove(connector.key);
  await removed(connector);
  expect(await connector.inBraze()).toHaveLength(400);
  await connector.compute({ exitFirst: 10, enter: ["new"] });
  await connector.create(guarded);
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 1, exited: 10 } });
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
});

test("a resync repairs what somebody else changed in Braze", async () => {
  const connector = await delivered();
  // Another workspace under the same key: all that was delivered is gone.
  await stage.stack.braze.reset(connector.brazeKey);
  await connector.signal();
  expect(await connector.inBraze()).toEqual([]);
  await stage.connectors.resync(connector.key);
  const commit = await eventually("the resync is over", async () => {
    const { last_run: last } = await connector.describe();
    return last?.reason === "resync" && (await connector.committed(last.number));
  });
  expect(commit).toMatchObject({ outcome: "clean", counts: { entered: 400, exited: 0 } });
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
});
