import { MockActivityEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ActivityDeps } from "../../../src/activities/deps.ts";
import { createOpenLog } from "../../../src/activities/open-log.ts";
import type { ConnectorKey } from "../../../src/contracts/connector-id.ts";
import type { OpenedLog, OpenLogInput } from "../../../src/contracts/run.ts";
import { openLedgerWorld, planOf, type LedgerWorld } from "../ledger/ledger-world.ts";
import { createdConnector } from "./created-connector.ts";

const storageId = "00000000-0000-4000-8000-000000000002";
let world: LedgerWorld;
let key: ConnectorKey;
beforeAll(async () => {
  world = await openLedgerWorld();
  key = await createdConnector(world, 7);
  await world.ledger.log(key).putPlan(planOf(1, null, []));
});
afterAll(() => world.close());

function open(known?: OpenLogInput["known"]): Promise<OpenedLog> {
  const pace = { lookIntervalMs: 3_600_000, runsPerHistory: 100 };
  const activity = createOpenLog({ ledger: world.ledger, pace, storageId } as ActivityDeps);
  return new MockActivityEnvironment().run(activity, { key, ...(known ? { known } : {}) });
}

test("a log is answered with the storage it is in, and is adopted where it is ahead of what was known", async () => {
  const ahead = { config: { number: 1 }, lastNumber: 1, open: true, storageId };
  expect(await open()).toMatchObject(ahead);
  expect(await open({ run: 0, config: 0 })).toMatchObject(ahead);
  expect(await open({ run: 1, config: 1 })).toMatchObject(ahead);
});

test.each([
  ["runs", { run: 2, config: 1 }, "run 2 is missing"],
  ["settings", { run: 1, config: 2 }, "config 2 is missing"],
])(
  "a log that has lost its newest %s is not adopted: the past would be taken for the present",
  async (_, known, detail) => {
    await expect(open(known)).rejects.toMatchObject({ code: "log_unreadable", detail });
  },
);

test("the wait between two looks is the connector's own, and always the same", async () => {
  const { pace } = await open();
  expect(pace.lookIntervalMs).not.toBe(3_600_000);
  expect((await open()).pace).toEqual(pace);
});
