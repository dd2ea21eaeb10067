import { readFile } from "node:fs/promises";
import { Client, type WorkflowClientInterceptor } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Process } from "../../sandbox/process.ts";
import { gatewayKey } from "../../sandbox/stack-environment.ts";
import { createConnectors } from "../../src/client.ts";
import { startStage, type Stage } from "./harness.ts";
import type { TestConnector } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

// Two gateway processes over one storage and one Temporal, one of which is killed and comes back as another.
let stage: Stage;
let connector: TestConnector;
let first: Process & { url: string };
let second: Process & { url: string };

beforeAll(async () => {
  stage = await startStage();
  first = await stage.stack.startGateway();
  second = await stage.stack.startGateway();
  connector = stage.connector();
  await connector.workspace({});
  await connector.segment({ name: "Two doors", generate: { count: 10, prefix: "canary-user-" } });
  await connector.compute();
});
afterAll(async () => {
  await stage?.stop();
});

interface Answer {
  status: number;
  replayed: boolean;
  body: unknown;
}

async function post(url: string, path: string, key: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(`${url}/api/activations/${path}`, {
    method: "POST",
    headers: {
      authorization: `ApiKey ${gatewayKey}`,
      "idempotency-key": key,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const replayed = answer.headers.get("idempotency-replayed") === "true";
  return { status: answer.status, replayed, body: await answer.json() };
}

/** Nobody goes on before so many have come. */
function meeting(people: number): () => Promise<void> {
  let come = 0;
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return () => {
    if (++come === people) open();
    return opened;
  };
}

/** The updates that the connector's workflow took, by name. */
async function updatesTaken(): Promise<string[]> {
  const { events } = await stage.client.workflow.getHandle(connector.workflowId).fetchHistory();
  return (events ?? []).flatMap((event) => {
    const name = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name;
    return name ? [name] : [];
  });
}

test("a creation that no worker took is repeated elsewhere after a kill -9, and done once", async () => {
  const config = { rest_endpoint: stage.stack.brazeUrl, api_key: connector.brazeKey };
  const creation = { segment: connector.id, connector_type: "braze", config };
  const silent = await post(first.url, "", "create-1", creation);
  expect(silent).toMatchObject({ status: 503, replayed: false });
  await first.kill();
  await stage.startWorker();
  const created = await eventually("the other gateway has it created", async () => {
    const answer = await post(second.url, "", "create-1", creation);
    return answer.status === 201 && answer;
  });
  expect(created.body).toMatchObject({ id: connector.id, status: "inactive" });
  expect(await updatesTaken()).toEqual(["configure"]);
  expect((await connector.log.latestConfig())?.number).toBe(1);
});

test("a request answered by one gateway is answered again by another, and by one that was started since", async () => {
  await stage.connectors.activate(connector.key);
  await connector.rested(1);
  const asked = await post(second.url, `${connector.id}/sync/`, "sync-1");
  expect(asked).toEqual({ status: 202, replayed: false, body: { status: "queued" } });
  await connector.rested(2);
  first = await stage.stack.startGateway();
  for (const url of [first.url, second.url]) {
    const again = await post(url, `${connector.id}/sync/`, "sync-1");
    expect(again).toEqual({ status: 202, replayed: true, body: { status: "queued" } });
    expect(await post(url, `${connector.id}/resync/`, "sync-1")).toMatchObject({ status: 409 });
  }
  expect((await updatesTaken()).filter((name) => name === "sync")).toHaveLength(1);
});

test("of two creations that both found nothing there, one is done and the other refused; the first one's settings stay", async () => {
  const { key, log, brazeKey } = stage.connector();
  const { connection, options } = stage.client;
  const bothHaveLooked = meeting(2);
  const interceptor: WorkflowClientInterceptor = {
    async startUpdateWithStart(input, next) {
      await bothHaveLooked();
      return await next(input);
    },
  };
  const client = new Client({
    connection,
    namespace: options.namespace,
    interceptors: { workflow: [interceptor] },
  });
  const sealingKeys = JSON.parse(
    await readFile(stage.stack.env["SEALING_PUBLIC_KEYS_FILE"] ?? "", "utf8"),
  ) as never;
  const allowedOrigins = [stage.stack.brazeUrl];
  const connectors = createConnectors({ client, sealingKeys, allowedOrigins, answerTimeoutMs: 20_000 });
  const create = async (batch_size: number) => {
    await connectors.create(key, { rest_endpoint: stage.stack.brazeUrl, api_key: brazeKey, batch_size });
    return batch_size;
  };
  const results = await Promise.allSettled([create(10), create(20)]);
  const [done, ...others] = results.flatMap((result) =>
    result.status === "fulfilled" ? [result.value] : [],
  );
  const refusals = results.flatMap((result) =>
    result.status === "rejected" ? [result.reason as unknown] : [],
  );
  expect(others).toEqual([]);
  expect(refusals).toMatchObject([{ code: "connector_exists" }]);
  expect(await log.latestConfig()).toMatchObject({ number: 1, config: { batch_size: done } });
});

test("/metrics counts requests by route and webhooks by outcome, with no id, key or user in a label", async () => {
  // SegOps sends its webhooks to the gateway that was started last.
  await stage.stack.segops.recompute(connector.key.tenant_slug, connector.id);
  const answer = await fetch(`${first.url}/metrics`);
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await answer.text();
  expect(text).toMatch(
    /requests_total\{method="POST",route="\/api\/activations\/:id\/sync\/",status="202"\} 1\n/,
  );
  expect(text).toMatch(/webhooks_total\{outcome="signalled"\} 1\n/);
  for (const secret of ["canary", gatewayKey, "sync-1", connector.brazeKey])
    expect(text).not.toContain(secret);
});
