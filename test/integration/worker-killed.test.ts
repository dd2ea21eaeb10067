import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Process } from "../../sandbox/process.ts";
import { commitKey, connectorFolder } from "../../src/contracts/log.ts";
import {
  blockedIds,
  expectDelivered,
  population,
  requests,
  resentAtMost,
  settings,
  untilAccepted,
  users,
} from "./delivery.ts";
import { startStage, type Stage } from "./harness.ts";
import type { TestConnector } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

let stage: Stage;
let worker: Process;
beforeAll(async () => {
  stage = await startStage({ keepTemporal: true });
  worker = await stage.startWorker();
});
afterAll(() => stage.stop());

/** A file where a folder belongs: nothing can be written there. Answers what clears it away. */
async function obstruct(connector: TestConnector, folder: string): Promise<() => Promise<void>> {
  const path = join(connector.storageDir(), connectorFolder(connector.key), folder);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "");
  return () => rm(path);
}

async function untilRetried(connector: TestConnector, activity: string): Promise<void> {
  const run = stage.client.workflow.getHandle(`${connector.workflowId}/run/1`);
  await eventually(`${activity} is tried again`, async () => {
    const { raw } = await run.describe();
    const pending = raw.pendingActivities?.find(({ activityType }) => activityType?.name === activity);
    return pending !== undefined && Number(pending.attempt) > 1;
  });
}

describe("one kill -9 of the only worker, with seven runs at seven points, loses nothing:", () => {
  const [early, middle, late] = [{ answerDelayMs: 3_000 }, { answerDelayMs: 400 }, { answerDelayMs: 200 }];
  const exiting = { answerDelayMs: 300 };
  let runs: Record<
    "fetching" | "comparing" | "committing" | "exiting" | "early" | "middle" | "late",
    TestConnector
  >;
  let whenKilled: Record<keyof typeof runs, number>;

  beforeAll(async () => {
    runs = {
      fetching: stage.connector(),
      comparing: stage.connector(),
      committing: stage.connector(),
      exiting: stage.connector(),
      early: stage.connector(),
      middle: stage.connector(),
      late: stage.connector(),
    };
    await runs.exiting.start({ generate: { count: 2 * users, prefix: "user-" } }, settings);
    await runs.exiting.ran(1);
    await runs.exiting.workspace(exiting);
    await stage.stack.segops.addFault({ segment: runs.fetching.id, kind: "hang", on: "members" });
    const clear = [await obstruct(runs.comparing, "parts"), await obstruct(runs.committing, "exceptions")];
    for (const name of ["fetching", "comparing", "committing"] as const) {
      await runs[name].start(population, settings, { blockedIds });
    }
    await eventually("a page of members hangs", async () =>
      (await stage.stack.segops.faults()).some(({ struck }) => struck > 0),
    );
    await untilRetried(runs.comparing, "diffMembership");
    await untilRetried(runs.committing, "commitLedger");
    await runs.early.start(population, settings, { ...early, blockedIds });
    await runs.middle.start(population, settings, { ...middle, blockedIds });
    await runs.exiting.recompute({ exitFirst: users });
    await runs.late.start(population, settings, { ...late, blockedIds });
    await untilAccepted(runs.late, 0.9);
    await worker.kill();

    const counted = Object.entries(runs).map(async ([name, run]) => [name, await run.requests()] as const);
    whenKilled = Object.fromEntries(await Promise.all(counted)) as typeof whenKilled;
    for (const run of Object.values(runs)) await run.workspace({ answerDelayMs: 0 });
    for (const unblock of clear) await unblock();
    worker = await stage.startWorker();
  }, 240_000);

  test("while members were fetched", async () => {
    expect(whenKilled.fetching).toBe(0);
    await expectDelivered(runs.fetching);
    expect(await runs.fetching.requests()).toBe(requests);
    expect(await runs.fetching.files("snapshots")).toHaveLength(1);
  });

  test("between the snapshot and the plan", async () => {
    expect(whenKilled.comparing).toBe(0);
    await expectDelivered(runs.comparing);
    expect(await runs.comparing.requests()).toBe(requests);
  });

  test.for([
    ["early", 0, 0.2, early],
    ["middle", 0.2, 0.8, middle],
    ["late", 0.85, 1, late],
  ] as const)(
    "%s in a part, where about a second of traffic is sent again",
    async ([name, from, to, { answerDelayMs }]) => {
      const run = runs[name];
      expect(whenKilled[name]).toBeGreaterThan(from * requests);
      expect(whenKilled[name]).toBeLessThan(to * requests);
      await expectDelivered(run);
      const { duplicates } = await run.stats();
      // Whatever was sent again was sent in the very same bytes.
      expect((await run.requests()) - duplicates).toBe(requests);
      expect(duplicates).toBeGreaterThan(0);
      expect(duplicates).toBeLessThanOrEqual(resentAtMost(answerDelayMs));
    },
  );

  test("while users exited", async () => {
    const load = (2 * users) / settings.batch_size;
    expect(whenKilled.exiting).toBeGreaterThan(load);
    expect(whenKilled.exiting).toBeLessThan(load + requests);
    const commit = await runs.exiting.ran(2);
    expect(commit).toMatchObject({ outcome: "clean", counts: { exited: users, unknown: 0 } });
    expect(await runs.exiting.differing()).toEqual({ missing: [], extra: [] });
    const { duplicates } = await runs.exiting.stats();
    expect((await runs.exiting.requests()) - duplicates).toBe(load + requests);
    expect(duplicates).toBeLessThanOrEqual(resentAtMost(exiting.answerDelayMs));
  });

  test("before the commit was written", async () => {
    expect(whenKilled.committing).toBe(requests);
    await expectDelivered(runs.committing);
    expect(await runs.committing.requests()).toBe(requests);
  });
});

test("a worker killed at the moment its commit is in the log has committed once", async () => {
  const connector = stage.connector();
  await connector.start(population, settings, { blockedIds });
  const path = join(connector.storageDir(), commitKey(connectorFolder(connector.key), 1));
  await eventually("the commit is in the log", () => existsSync(path), { everyMs: 1 });
  await worker.kill();
  worker = await stage.startWorker();
  await expectDelivered(connector);
  expect(await connector.requests()).toBe(requests);
  expect(await connector.files("log")).toEqual(["000000000001.commit.json", "000000000001.plan.json"]);
  // The connector has heard of it too, and goes on.
  await connector.recompute({ enter: ["later"] });
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 1, requests: 1 } });
});

test("Temporal's server killed in mid-run and started again on its file: the run completes", async () => {
  const connector = stage.connector();
  await connector.start(population, settings, { answerDelayMs: 100, blockedIds });
  await untilAccepted(connector, 0.3);
  const startTemporal = await stage.killTemporal();
  expect(await connector.requests()).toBeLessThan(requests);
  // Sending goes on; only its end cannot be told to anybody.
  await eventually("all is sent", async () => (await connector.requests()) === requests);
  expect(await connector.log.commit(1)).toBeUndefined();
  await startTemporal();
  await expectDelivered(connector);
  const { duplicates } = await connector.stats();
  expect((await connector.requests()) - duplicates).toBe(requests);
});
