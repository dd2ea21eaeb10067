import { afterAll, beforeAll, expect, test } from "vitest";
import { startStage, type Stage } from "./harness.ts";
import type { TestConnector } from "./test-connector.ts";

const windowSeconds = 10;

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());

/** Two are in Braze; then one more enters, and exits again, while Braze applies what it accepts later, and last first. */
async function flaps(applyDelayMs: number): Promise<TestConnector> {
  const connector = stage.connector();
  await connector.start({ members: ["ann", "bob"] });
  await connector.ran(1);
  await stage.stack.braze.settle(connector.brazeKey);
  await connector.workspace({ applyDelayMs, applyOrder: "reversed" });
  await connector.recompute({ enter: ["flapper"] });
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 1 } });
  await connector.recompute({ exit: ["flapper"] });
  await connector.ran(3);
  return connector;
}

test("without the window a user who flaps ends wrong in Braze, and the ledger does not know", async () => {
  const worker = await stage.startWorker({ QUIET_WINDOW_SECONDS: "0" });
  const connector = await flaps(300_000);
  expect(await connector.committed(3)).toMatchObject({ outcome: "clean", counts: { exited: 1 } });
  // Minutes go by.
  await connector.workspace({ applyDelayMs: 0 });
  expect(await connector.differing()).toEqual({ missing: [], extra: ["flapper"] });
  expect(await connector.exceptions()).toEqual([]);
  await worker.stop();
});

test("within it they wait, and a run by its own timer writes them when it is over", async () => {
  const worker = await stage.startWorker({ QUIET_WINDOW_SECONDS: String(windowSeconds) });
  const connector = await flaps((windowSeconds * 1000) / 2);
  const [entered, waits] = [await connector.committed(2), await connector.committed(3)];
  expect(waits.counts).toMatchObject({ exited: 0, requests: 0, waiting: 1 });
  expect(await connector.exceptions()).toEqual([{ user_id: "flapper", state: "present", reason: "quiet" }]);
  // Nobody says anything.
  const written = await connector.ran(4);
  expect(written).toMatchObject({ reason: "retry", outcome: "clean", counts: { exited: 1, waiting: 0 } });
  expect(Date.parse(written.started_at) - Date.parse(entered.at)).toBeGreaterThanOrEqual(
    windowSeconds * 1000,
  );
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
  expect(await connector.exceptions()).toEqual([]);
  await worker.stop();
});
