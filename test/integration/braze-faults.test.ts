import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FaultOrder } from "../../sandbox/braze/faults.ts";
import { errorMessage } from "../../src/contracts/errors.ts";
import { startStage, type Stage } from "./harness.ts";
import { ids, type TestConnector } from "./test-connector.ts";

const nothing = { missing: [], extra: [] };
const group = "6f1a3c52-0b0f-4c6e-9b5a-0f3f6c0d9a11";

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
  await stage.startWorker();
});
afterAll(() => stage.stop());

/** Arms a fault for one workspace alone. Answers how often it struck. */
async function arm(connector: TestConnector, order: FaultOrder): Promise<() => Promise<number>> {
  const { id } = await stage.stack.braze.addFault({ ...order, key: connector.brazeKey });
  return async () => (await stage.stack.braze.faults()).find((fault) => fault.id === id)?.struck ?? 0;
}

interface Hazard {
  fault: FaultOrder;
  /** Braze took the batches all the same, and said so. */
  isAccepted?: boolean;
}

// The slow ones first, so that the others pass meanwhile.
const hazards: [string, Hazard][] = [
  ["silence, past a request's 10 s", { fault: { kind: "hang", times: 1 } }],
  ["a 429", { fault: { kind: "429", times: 3 } }],
  ["a 500", { fault: { kind: "500", times: 3 } }],
  ["a 503 before it applies the batch", { fault: { kind: "503", times: 3 } }],
  ["a 503 after it applied the batch", { fault: { kind: "503", times: 3, applied: true } }],
  ["a 504 and a time to wait", { fault: { kind: "504", times: 2, retryAfterSeconds: 1 } }],
  ["a reset before it applies the batch", { fault: { kind: "reset_before", times: 3 } }],
  ["a reset after it applied the batch", { fault: { kind: "reset_after", times: 3 } }],
  ["a reset in the middle of its answer", { fault: { kind: "reset_mid", times: 3 } }],
  ["a truncated 201", { fault: { kind: "truncated_201", times: 3 } }],
  ["HTML under 201", { fault: { kind: "html_201", times: 3 } }],
  ["202 queued", { fault: { kind: "queued_202", times: 3 }, isAccepted: true }],
  ["errors that name nobody", { fault: { kind: "errors_as_strings", times: 3 }, isAccepted: true }],
  ["errors of users not in the batch", { fault: { kind: "index_out_of_range", times: 3 }, isAccepted: true }],
];

describe.concurrent("when Braze answers", () => {
  test.for(hazards)(
    "with %s, it ends up equal to SegOps and nobody is forgotten",
    async ([, hazard], { expect }) => {
      const { fault, isAccepted = false } = hazard;
      const connector = stage.connector();
      const blocked = ["user-70", "user-71", "user-500"];
      const entering = await arm(connector, fault);
      await connector.start({ generate: { count: 1000, prefix: "user-" } }, {}, { blockedIds: blocked });
      const load = await connector.ran(1);
      expect(await entering()).toBe(fault.times);
      expect(load).toMatchObject({ outcome: "clean", counts: { entered: 997, rejected: 3, unknown: 0 } });
      if (!isAccepted) expect(load.counts.resent).toBe(fault.times);
      expect(load.counts.requests).toBe(await connector.requests());
      expect(await connector.differing(blocked)).toEqual(nothing);

      const exiting = await arm(connector, fault);
      await connector.recompute({ exitFirst: 400 });
      const delta = await connector.ran(2);
      expect(await exiting()).toBe(fault.times);
      expect(delta).toMatchObject({ outcome: "clean", counts: { entered: 0, unknown: 0, rejected: 0 } });
      expect(await connector.differing(blocked)).toEqual(nothing);
      const left = blocked.filter((id) => id === "user-500");
      expect((await connector.exceptions()).map(({ user_id }) => user_id)).toEqual(left);
    },
  );

  test.for(["a", "b"] as const)("rate headers of mode %s are obeyed", async (headerMode, { expect }) => {
    const connector = stage.connector();
    await connector.start(
      { generate: { count: 2_200, prefix: "user-" } },
      {},
      { headerMode, burstPer3s: 12 },
    );
    expect(await connector.ran(1)).toMatchObject({ outcome: "clean", counts: { entered: 2_200 } });
    const answers = (await connector.stats()).requests["/users/track"];
    expect(answers?.["201"]).toBe(30);
    // What was in flight as the window closed, twice; not a stream of attempts.
    expect(answers?.["429"]).toBeGreaterThan(0);
    expect(answers?.["429"]).toBeLessThanOrEqual(16);
    expect(await connector.differing()).toEqual(nothing);
  });

  test("a 429 waits as long as Braze asks", async ({ expect }) => {
    const connector = stage.connector();
    await arm(connector, { kind: "429", times: 1, retryAfterSeconds: 3 });
    await connector.start({ members: ids(10) }, {}, { recordWrites: true });
    const commit = await connector.ran(1);
    expect(Date.parse(commit.at) - Date.parse(commit.started_at)).toBeGreaterThanOrEqual(3_000);
    expect(commit.counts).toMatchObject({ entered: 10, requests: 2, resent: 1 });
  });

  test("an outage longer than a batch is waited for delays the run and loses nothing", async ({ expect }) => {
    const connector = stage.connector();
    const struck = await arm(connector, { kind: "503", durationMs: 14_000 });
    await connector.start({ generate: { count: 1000, prefix: "user-" } });
    expect(await connector.ran(1)).toMatchObject({ outcome: "clean", counts: { entered: 1000, unknown: 0 } });
    expect(await struck()).toBeGreaterThan(8);
    expect(await connector.differing()).toEqual(nothing);
  });
});

test("a wrong key turns the connector to error, in words that say what to do, and a configured one mends it", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(200) }, {}, { revoked: true });
  const commit = await connector.ran(1);
  expect(commit).toMatchObject({ outcome: "failed", error: { code: "braze_key_rejected" } });
  const broken = await connector.describe();
  expect(broken).toMatchObject({
    status: "error",
    last_error_code: "braze_key_rejected",
    last_synced_at: null,
  });
  expect(broken.last_error).toBe(errorMessage("braze_key_rejected", "HTTP 401"));
  expect(broken.last_error).toContain("configure it again");
  expect(await connector.inBraze()).toEqual([]);

  const rotated = `${connector.brazeKey}-rotated`;
  await stage.stack.braze.putWorkspace({ key: rotated, sharesWorkspaceOf: connector.brazeKey });
  await connector.configure({ api_key: rotated });
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 200 } });
  expect(await connector.describe()).toMatchObject({ status: "active", last_error: "", last_error_code: "" });
  expect(await connector.differing()).toEqual(nothing);
  // The stand-in's 401 repeats the key, as Braze's does.
  const log = await readFile(join(stage.dir, "worker.log"), "utf8");
  expect(log).toContain("braze_key_rejected");
  expect(log + JSON.stringify([commit, broken])).not.toContain(connector.brazeKey);
});

test("a key that may not track users is refused with the permission it lacks", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(200) }, {}, { permissions: ["segments.list"] });
  await connector.ran(1);
  const view = await connector.describe();
  expect(view).toMatchObject({ status: "error", last_error_code: "braze_permission_missing" });
  expect(view.last_error).toContain("users.track");
  // A refused batch is as if it had never been sent: the ledger stays as it was, without this channel.
  expect(view.channels).toEqual([]);
});

test("a key that may not set subscriptions still delivers the attribute, and the group waits until it may", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(200) }, { segment_id: group }, { permissions: ["users.track"] });
  expect(await connector.ran(1)).toMatchObject({
    outcome: "failed",
    error: { code: "braze_permission_missing" },
  });
  expect(await connector.differing()).toEqual(nothing);
  expect((await connector.describe()).channels).toMatchObject([{ delivered: 200 }, { delivered: 0 }]);

  await connector.workspace({ permissions: ["users.track", "subscription.status.set"] });
  const before = await connector.requests();
  await stage.connectors.sync(connector.key);
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean" });
  expect(await connector.inGroup(group)).toEqual(await connector.inSegops());
  expect(await connector.requests()).toBe(before);
});
