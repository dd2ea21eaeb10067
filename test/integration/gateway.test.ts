import { readFile, rename, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Process } from "../../sandbox/process.ts";
import { gatewayKey } from "../../sandbox/stack-environment.ts";
import type { ConnectorView } from "../../src/client.ts";
import { startStage, type Stage } from "./harness.ts";
import type { TestConnector } from "./test-connector.ts";

// One story, told in order: each test stands on the one before.
let stage: Stage;
let gateway: Process & { url: string };
let worker: Process;
let connector: TestConnector;
const brazeKey = "canary-braze-key-of-the-gateway";

beforeAll(async () => {
  stage = await startStage({ keepTemporal: true });
  connector = stage.connector(brazeKey);
  await connector.segment({ name: "High LTV Buyers", generate: { count: 60, prefix: "canary-user-" } });
  await connector.workspace({});
  gateway = await stage.stack.startGateway();
  worker = await stage.startWorker();
});
afterAll(async () => {
  await stage?.stop();
});

interface Answer<Body> {
  status: number;
  body: Body;
  headers: Headers;
}

async function call<Body = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> {
  const answer = await fetch(`${gateway.url}/api${path}`, {
    method,
    headers: {
      authorization: `ApiKey ${gatewayKey}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    body: (text ? JSON.parse(text) : undefined) as Body,
    headers: answer.headers,
  };
}

const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 200 });
const one = (): string => `/activations/${connector.id}/`;

async function configEntries(): Promise<number> {
  return (await connector.log.latestConfig())?.number ?? 0;
}

test("SegOps' own create request, as its documentation has it, makes an inactive connector", async () => {
  const created = await call<ConnectorView>("POST", "/activations/", {
    segment: 70,
    connector_type: "braze",
    config: {
      rest_endpoint: "https://rest.iad-01.braze.com",
      api_key: "your-braze-rest-key",
      segment_id: "optional-braze-segment-id",
    },
  });
  expect(created).toMatchObject({
    status: 201,
    body: {
      id: 70,
      segment: 70,
      connector_type: "braze",
      status: "inactive",
      config: {
        rest_endpoint: "https://rest.iad-01.braze.com",
        api_key: "***",
        segment_id: "optional-braze-segment-id",
      },
      last_error: "",
    },
  });
  expect((await call("DELETE", "/activations/70/")).status).toBe(204);
  expect((await call("GET", "/activations/70/")).status).toBe(404);
});

test("PATCH activates, a signed webhook delivers: Braze shows exactly the segment's members", async () => {
  const settings = { rest_endpoint: stage.stack.brazeUrl, api_key: brazeKey, max_removal_percent: 100 };
  const body = { segment: connector.id, connector_type: "braze", config: settings };
  expect((await call("POST", "/activations/", body)).status).toBe(201);
  expect(await call("PATCH", one(), { status: "active" })).toMatchObject({
    status: 200,
    body: { status: "active" },
  });
  const { webhook } = await stage.stack.segops.recompute(connector.key.tenant_slug, connector.id);
  expect(webhook).toEqual({ status: 202 });
  await soon(async () => {
    const { body: view } = await call<ConnectorView>("GET", one());
    expect(view).toMatchObject({ last_run: { outcome: "clean" }, current_run: null, member_count: 60 });
  });
  expect(await connector.differing()).toEqual({ missing: [], extra: [] });
  expect(await connector.inBraze()).toHaveLength(60);
});

test("runs, analytics and one user's timeline tell the same story", async () => {
  const { body: logs } = await call("GET", `${one()}logs/?page_size=1`);
  expect(logs).toMatchObject({ previous: null, results: [{ outcome: "clean", entered: 60 }] });
  const { body: analytics } = await call<unknown>("GET", "/analytics/activations/");
  expect(analytics).toMatchObject([
    {
      id: connector.id,
      segment_name: "High LTV Buyers",
      success_rate: 100,
      sync_logs: [{ status: "success", user_count: 60 }],
    },
  ]);
  const { status, body: told } = await call("GET", `${one()}explain/?user_id=canary-user-1`);
  expect(status).toBe(200);
  expect(told).toMatchObject({ segment: connector.id });
});

test("a webhook for a segment without a connector is ignored, an unsigned one is refused, and neither starts anything", async () => {
  const body = { tenant_slug: "acme", segment_id: connector.id };
  expect((await call("POST", "/webhooks/segops/", body)).status).toBe(401);
  await stage.stack.segops.putSegment("acme", 71, { name: "Nobody's", generate: { count: 1, prefix: "n" } });
  const { webhook } = await stage.stack.segops.recompute("acme", 71);
  expect(webhook).toEqual({ status: 200 });
  await expect(stage.client.workflow.getHandle("braze/acme/71").describe()).rejects.toThrow(/not found/i);
});

test("a POST repeated under its idempotency key is answered again and done once", async () => {
  const key = { "idempotency-key": "6d0f1a0e-sync" };
  const answers = [
    await call("POST", `${one()}sync/`, undefined, key),
    await call("POST", `${one()}sync/`, undefined, key),
  ];
  for (const answer of answers) expect(answer).toMatchObject({ status: 202, body: { status: "queued" } });
  expect(answers.map(({ headers }) => headers.get("idempotency-replayed"))).toEqual([null, "true"]);
});

test("what conflicts with what is stored is 409 and names the field", async () => {
  const moved = await call("PATCH", one(), { config: { rest_endpoint: "https://rest.iad-01.braze.com" } });
  expect(moved).toMatchObject({
    status: 409,
    body: { api_key: [expect.stringMatching(/required again/) as string] },
  });
  const approved = await call("POST", `${one()}approve-removal/`, { digest: "a".repeat(64) });
  expect(approved).toMatchObject({
    status: 409,
    body: { digest: [expect.stringMatching(/no removal/) as string] },
  });
});

test("without a worker reads answer from the log, a write is 503 and its repetition is done once", async () => {
  await worker.stop();
  const before = await configEntries();
  const live = await call<ConnectorView>("GET", one());
  expect(live).toMatchObject({ status: 200, body: { status: "active", member_count: 60 } });
  expect(await call("GET", "/activations/")).toMatchObject({ status: 200, body: { count: 1 } });
  const silent = await call("PATCH", one(), { status: "inactive" });
  expect(silent).toMatchObject({
    status: 503,
    body: { detail: expect.stringMatching(/repeat the same/) as string },
  });
  expect(silent.headers.get("retry-after")).toBe("5");
  worker = await stage.startWorker();
  await soon(async () => {
    expect(await call("PATCH", one(), { status: "inactive" })).toMatchObject({
      status: 200,
      body: { status: "inactive" },
    });
  });
  // A moment in which a second one would be written.
  await delay(500);
  expect(await configEntries()).toBe(before + 1);
});

test("a key that is taken out of the file is refused, without a restart", async () => {
  const file = stage.stack.env["GATEWAY_API_KEYS_FILE"] ?? "";
  const kept = await readFile(file, "utf8");
  const replace = async (text: string) => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  await replace("{}");
  await soon(async () => expect((await call("GET", "/session/")).status).toBe(401));
  await replace("no JSON at all");
  await delay(1100);
  expect((await call("GET", "/session/")).status).toBe(401);
  await replace(kept);
  await soon(async () => expect((await call("GET", "/session/")).status).toBe(200));
});

test("what was promised of a burst is handed on before the gateway ends", async () => {
  await worker.stop();
  const signals = async () => {
    const { events } = await stage.client.workflow.getHandle(connector.workflowId).fetchHistory();
    return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length;
  };
  const before = await signals();
  for (let burst = 0; burst < 5; burst++) {
    const { webhook } = await stage.stack.segops.recompute(connector.key.tenant_slug, connector.id);
    expect(webhook).toEqual({ status: 202 });
  }
  expect(await signals()).toBe(before + 1);
  expect(await gateway.stop()).toBe(0);
  expect(await signals()).toBe(before + 2);
});

test("without Temporal a webhook is 503 within SegOps' patience, reads still answer, and readiness says why", async () => {
  const printed = gateway.output().join("\n");
  gateway = await stage.stack.startGateway();
  const restart = await stage.killTemporal();
  const asked = Date.now();
  const { webhook } = await stage.stack.segops.recompute(connector.key.tenant_slug, connector.id);
  expect(webhook).toEqual({ status: 503 });
  expect(Date.now() - asked).toBeLessThan(10_000);
  expect((await call("GET", one())).status).toBe(200);
  const ready = await fetch(`${gateway.url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: "unready", temporal: "unreachable", storage: "ok" },
  ]);
  const refused = await call("POST", `${one()}sync/`);
  expect(refused.status).toBe(503);
  await restart();
  const lines = `${printed}\n${gateway.output().join("\n")}`;
  expect(lines).toContain("/api/activations/:id/explain/");
  for (const secret of ["canary", gatewayKey, "whsec_"]) expect(lines).not.toContain(secret);
});
