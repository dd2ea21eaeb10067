import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startStage, type Stage } from "./harness.ts";
import { ids, type TestConnector } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

const windowSeconds = 2;
const exportPath = "/users/export/ids";

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
  await stage.startWorker({ QUIET_WINDOW_SECONDS: String(windowSeconds), VERIFY_SAMPLE_USERS: "500" });
});
afterAll(() => stage.stop());

const windowPasses = () => delay(windowSeconds * 1000 + 200);

/** Ten were delivered, two of them left again, and all of it is older than the quiet window. */
async function delivered(permissions?: string[]): Promise<TestConnector> {
  const connector = stage.connector();
  await connector.start({ members: ids(10) }, {}, permissions ? { permissions } : {});
  await connector.ran(1);
  await windowPasses();
  await connector.recompute({ exit: ["user-0", "user-1"] });
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { exited: 2 } });
  await windowPasses();
  return connector;
}

/** Somebody else writes these people's attribute with a key of their own. */
async function alter(connector: TestConnector, shown: Record<string, boolean | null>): Promise<void> {
  const attributes = Object.entries(shown).map(([external_id, value]) => ({
    external_id,
    [connector.attribute]: value,
  }));
  const answer = await fetch(`${stage.stack.brazeUrl}/users/track`, {
    method: "POST",
    headers: { authorization: `Bearer ${connector.brazeKey}`, "content-type": "application/json" },
    body: JSON.stringify({ attributes }),
  });
  expect(answer.status).toBe(201);
  await stage.stack.braze.settle(connector.brazeKey);
}

/** The last run of `connector verify`, when it is over. */
async function verified(connector: TestConnector, sample?: number) {
  const { last_run: before } = await stage.connectors.verify(
    connector.key,
    sample === undefined ? {} : { sample },
  );
  return await eventually("the verification is over", async () => {
    const { last_run: run, current_run } = await connector.describe();
    return current_run === null && run && run.number > (before?.number ?? 0) && run;
  });
}

test("users altered in Braze behind our back are found by the next run and written again by it, also where nothing else changed", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(10) });
  await connector.ran(1);
  await windowPasses();
  await alter(connector, { "user-6": false, "user-7": null });
  await connector.recompute({ exit: ["user-0"] });
  expect(await connector.ran(2)).toMatchObject({
    outcome: "clean",
    counts: { entered: 2, exited: 1, requests: 2, unknown: 0 },
    verification: { checked: 10, wrong: 2, skipped: null },
  });
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
  await windowPasses();
  await alter(connector, { "user-0": true });
  await connector.recompute();
  const verification = { checked: 3, wrong: 1, skipped: null };
  expect(await connector.ran(3)).toMatchObject({ counts: { entered: 0, exited: 1 }, verification });
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
  expect((await connector.describe()).last_run?.verification).toEqual(verification);
});

test("what is older than the window is read back once, and then Braze is asked nothing", async () => {
  const connector = await delivered();
  expect((await connector.committed(2)).verification).toEqual({ checked: 10, wrong: 0, skipped: null });
  await connector.recompute();
  expect((await connector.ran(3)).verification).toEqual({ checked: 2, wrong: 0, skipped: null });
  const { requests } = await connector.stats();
  expect(requests[exportPath]).toEqual({ "201": 2 });
  await connector.recompute();
  const idle = await connector.ran(4);
  expect(idle.outcome).toBe("no_change");
  expect(idle.verified_through).toBeGreaterThanOrEqual(2);
  expect(idle.verification).toBeUndefined();
  expect((await connector.stats()).requests).toEqual(requests);
});

test("connector verify looks at everybody, also where the last look is over, and repairs", async () => {
  const connector = await delivered();
  await connector.recompute();
  await connector.ran(3);
  await alter(connector, { "user-0": true, "user-3": false, "user-4": null });
  await connector.recompute();
  expect((await connector.ran(4)).counts).toMatchObject({ requests: 0 });
  const run = await verified(connector);
  expect(run).toMatchObject({
    reason: "verify",
    outcome: "clean",
    entered: 2,
    exited: 1,
    verification: { checked: 10, wrong: 3, skipped: null },
  });
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
  await windowPasses();
  expect((await verified(connector, 4)).verification).toMatchObject({ checked: 4, wrong: 0 });
});

test("without the permission to read it is skipped and said so, and the run delivers", async () => {
  const connector = await delivered(["users.track"]);
  const skipped = { checked: 0, wrong: 0, skipped: "braze_permission_missing" };
  await connector.recompute({ enter: ["newcomer"] });
  const commit = await connector.ran(3);
  expect(commit).toMatchObject({ outcome: "clean", counts: { entered: 1 }, error: null });
  expect(commit.verification).toEqual(skipped);
  expect(await connector.describe()).toMatchObject({ status: "active", last_error: "" });
  expect((await verified(connector)).verification).toEqual(skipped);
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
  // Time does not mend that: the same writes are not asked for again.
  await windowPasses();
  await connector.recompute();
  await connector.ran(5);
  const { requests } = await connector.stats();
  await connector.recompute();
  await connector.ran(6);
  expect((await connector.stats()).requests[exportPath]).toEqual(requests[exportPath]);
});

test.each(["503", "reset_mid", "truncated_201", "html_201"] as const)(
  "where Braze does not let itself be read (%s) the run delivers, and the next one looks again",
  async (kind) => {
    const connector = await delivered();
    await alter(connector, { "user-1": true });
    await stage.stack.braze.addFault({ kind, key: connector.brazeKey, path: exportPath, times: 1 });
    await connector.recompute({ enter: ["newcomer"] });
    const commit = await connector.ran(3);
    expect(commit).toMatchObject({ outcome: "clean", counts: { entered: 1, exited: 0 } });
    expect(commit.verification).toMatchObject({ checked: 0, skipped: expect.stringMatching(/^braze_/) });
    await connector.recompute();
    expect(await connector.ran(4)).toMatchObject({ counts: { exited: 1 }, verification: { wrong: 1 } });
    expect(await connector.differing()).toEqual({ missing: [], extra: [] });
  },
);

test("a wrong user whose repair could not be sent is not forgotten", async () => {
  const connector = await delivered();
  await alter(connector, { "user-0": true });
  await stage.stack.braze.putWorkspace({ key: connector.brazeKey, permissions: ["users.export.ids"] });
  await connector.recompute();
  expect(await connector.ran(3)).toMatchObject({
    outcome: "failed",
    verification: { wrong: 1 },
    counts: { unknown: 1 },
  });
  // The key may write now, and read no more.
  await stage.stack.braze.putWorkspace({ key: connector.brazeKey, permissions: ["users.track"] });
  await connector.recompute();
  expect(await connector.ran(4)).toMatchObject({ outcome: "clean", counts: { exited: 1, unknown: 0 } });
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
});

test("a value that Braze drops in silence is noticed", async () => {
  const connector = stage.connector();
  await connector.start({ members: ids(3) }, {}, { blocklistedAttributes: [connector.attribute] });
  expect(await connector.ran(1)).toMatchObject({ outcome: "clean" });
  await windowPasses();
  await connector.recompute();
  expect((await connector.ran(2)).verification).toEqual({ checked: 3, wrong: 3, skipped: null });
});

test("a sample that is no number of users is refused, and nothing runs", async () => {
  const connector = await delivered();
  for (const sample of [0, 10_001, 1.5]) {
    await expect(stage.connectors.verify(connector.key, { sample })).rejects.toMatchObject({
      code: "config_invalid",
    });
  }
  expect((await connector.describe()).last_run?.number).toBe(2);
});
