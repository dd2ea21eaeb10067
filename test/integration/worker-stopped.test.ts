import { afterAll, beforeAll, expect, test } from "vitest";
import type { Process } from "../../sandbox/process.ts";
import {
  blockedIds,
  expectDelivered,
  population,
  requests,
  settings,
  untilAccepted,
  users,
} from "./delivery.ts";
import { startStage, type Stage } from "./harness.ts";

const nothing = { missing: [], extra: [] };
const pace = { answerDelayMs: 200 };

let stage: Stage;
let worker: Process;
beforeAll(async () => {
  stage = await startStage();
  worker = await stage.startWorker();
});
afterAll(() => stage.stop());

test("a worker told to stop settles what is in flight, ends with 0 within 20 s, and nothing is sent twice", async () => {
  const connector = stage.connector();
  await connector.start(population, settings, { ...pace, blockedIds });
  await untilAccepted(connector, 0.3);
  const asked = Date.now();
  expect(await worker.stop("SIGTERM")).toBe(0);
  expect(Date.now() - asked).toBeLessThan(20_000);
  const sent = await connector.requests();
  expect(sent).toBeLessThan(requests);
  // Each request got its whole answer.
  expect((await connector.stats()).requests["/users/track"]).toEqual({ 201: sent });
  worker = await stage.startWorker();
  await expectDelivered(connector);
  expect(await connector.requests()).toBe(requests);
  expect((await connector.log.commit(1))?.counts).toMatchObject({ requests, resent: 0 });
});

test("a connector terminated in mid-run comes back from its log, and all that was planned is written again", async () => {
  const connector = stage.connector();
  await connector.start(population, settings, pace);
  await untilAccepted(connector, 0.3);
  await stage.client.workflow.getHandle(connector.workflowId).terminate("an operator's mistake");
  await connector.signal();
  const closed = await connector.committed(1);
  expect(closed).toMatchObject({ outcome: "partial", reason: "abandoned", counts: { unknown: users } });
  await connector.workspace({ answerDelayMs: 0 });
  const rewritten = await connector.ran(2);
  expect(rewritten).toMatchObject({ outcome: "clean", counts: { entered: users, requests, unknown: 0 } });
  expect(await connector.differing()).toEqual(nothing);
  expect(await connector.exceptions()).toEqual([]);
});

test("two workers share the parts of a run, and the result is right", async () => {
  const other = await stage.startWorker();
  const connector = stage.connector();
  const faster = { requests_per_second: 10_000 };
  await connector.start({ generate: { count: 6 * 20_480, prefix: "user-" } }, faster, { answerDelayMs: 20 });
  expect(await connector.ran(1)).toMatchObject({
    outcome: "clean",
    counts: { entered: 6 * 20_480, resent: 0 },
  });
  expect(await connector.differing()).toEqual(nothing);
  const { events } = await stage.client.workflow.getHandle(`${connector.workflowId}/run/1`).fetchHistory();
  const identities = (events ?? []).map((event) => event.activityTaskStartedEventAttributes?.identity);
  const [first, second] = [worker.pid, other.pid].map((pid) =>
    identities.filter((id) => id?.startsWith(`${pid}@`)),
  );
  expect(first?.length).toBeGreaterThan(0);
  expect(second?.length).toBeGreaterThan(0);
});
