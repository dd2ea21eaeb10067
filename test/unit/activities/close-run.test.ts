import { MockActivityEnvironment } from "@temporalio/testing";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ActivityDeps } from "../../../src/activities/deps.ts";
import { createCloseRun } from "../../../src/activities/close-run.ts";
import type { ConnectorKey } from "../../../src/contracts/connector-id.ts";
import type { CommittedRun } from "../../../src/contracts/run.ts";
import { openLedgerWorld, planOf, type LedgerWorld } from "../ledger/ledger-world.ts";
import { createdConnector } from "./created-connector.ts";

const at = "2026-05-02T14:32:05.000Z";
let world: LedgerWorld;

beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

test("a run closed before it had planned cannot plan any more: its orphan sends nothing", async () => {
  const key = await createdConnector(world, 1);
  const closed = await close(key, 1);
  expect(closed.summary).toMatchObject({ number: 1, outcome: "partial", error: { code: "run_abandoned" } });
  const log = world.ledger.log(key);
  expect(await log.putPlan(planOf(1, null, []))).toBe("taken");
  const { workflow_id: workflowId, run_id: runId } = planOf(1, null, []);
  expect(await log.isOpen({ key, number: 1, workflowId, runId })).toBe(false);
});

test("a run that is tried for minutes is not closed in the past", async () => {
  const key = await createdConnector(world, 2);
  const before = Date.now();
  const scheduled = before + 300_000;
  const closed = await close(key, 1, { currentAttemptScheduledTimestampMs: scheduled });
  expect(Date.parse(closed.summary.finished_at)).toBeGreaterThanOrEqual(scheduled);
});

async function close(
  key: ConnectorKey,
  number: number,
  info: ConstructorParameters<typeof MockActivityEnvironment>[0] = {},
): Promise<CommittedRun> {
  const deps = {
    ledger: world.ledger,
    heavy: (work) => work(),
    log: pino({ level: "silent" }),
  } as ActivityDeps;
  const scope = { key, number, workflowId: "braze/acme/7", runId: "closer" };
  return await new MockActivityEnvironment(info).run(createCloseRun(deps), { scope, at });
}
