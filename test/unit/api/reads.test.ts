import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConnectorView } from "../../../src/client.ts";
import type { Page } from "../../../src/api/pages.ts";
import { analyticsSchema, activationPageSchema, runPageSchema } from "../../../src/contracts/http-answers.ts";
import { loggedConnector } from "./logged-connector.ts";
import { apiKey, testGateway, viewerKey, type TestGateway } from "./test-gateway.ts";

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await testGateway();
});
afterEach(() => gateway.server.close());

async function get<Body>(url: string, headers: Record<string, string> = {}): Promise<Body> {
  const answer = await gateway.server.inject({
    url,
    headers: { authorization: `ApiKey ${apiKey}`, host: "gateway.example.org", ...headers },
  });
  expect({ status: answer.statusCode, body: answer.body }).toMatchObject({ status: 200 });
  return answer.json<Body>();
}

test("a list has the tenant's connectors by id, from their logs, the key masked, removed ones left out", async () => {
  await loggedConnector(gateway.storage, 100);
  await loggedConnector(gateway.storage, 9, { status: "inactive", outcomes: ["clean", "failed"] });
  await loggedConnector(gateway.storage, 20, { status: "removed" });
  await loggedConnector(gateway.storage, 5, { tenant_slug: "other" });
  const page = await get<Page<ConnectorView>>("/api/activations/");
  expect(activationPageSchema.parse(page)).toMatchObject({
    count: 2,
    next: null,
    previous: null,
    results: [
      {
        id: 9,
        status: "inactive",
        config: { api_key: "***" },
        segment_name: "High LTV Buyers",
        last_run: { outcome: "failed" },
      },
      { id: 100, status: "active", last_run: null },
    ],
  });
  expect(JSON.stringify(page)).not.toContain("aaaa.bbbb");
  expect(gateway.asked).toEqual([]);
});

test("an active connector whose last run failed shows as error, with its words, and is listed by that status", async () => {
  await loggedConnector(gateway.storage, 7, { outcomes: ["clean", "failed"] });
  await loggedConnector(gateway.storage, 8, { outcomes: ["clean"] });
  const page = await get<Page<ConnectorView>>("/api/activations/?status=error");
  expect(page.results).toMatchObject([
    { id: 7, status: "error", last_error: "Braze answered 401", last_error_code: "braze_key_rejected" },
  ]);
  expect(page.count).toBe(1);
});

test("next and previous are whole addresses that lead through all of it, and keep what was asked for", async () => {
  for (const id of [1, 2, 3, 4, 5]) await loggedConnector(gateway.storage, id);
  const seen: number[] = [];
  let url: string | null = "/api/activations/?page_size=2&status=active";
  const addresses: string[] = [];
  while (url) {
    const page: Page<ConnectorView> = await get(url);
    seen.push(...page.results.map(({ id }) => id));
    if (page.next) addresses.push(page.next);
    url = page.next && page.next.replace("http://gateway.example.org", "");
  }
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect(addresses[0]).toBe("http://gateway.example.org/api/activations/?page_size=2&status=active&page=2");
});

test("one connector is shown from its log where its workflow cannot be asked", async () => {
  await loggedConnector(gateway.storage, 7, { outcomes: ["clean"] });
  expect(await get("/api/activations/7")).toMatchObject({ id: 7, status: "active", last_run: { number: 1 } });
});

test("a connector that is being removed with cleanup is read, listed and refused as existing until it is gone", async () => {
  await loggedConnector(gateway.storage, 7, { status: "removing", outcomes: ["clean"] });
  expect(await get("/api/activations/7/")).toMatchObject({ id: 7, last_run: { number: 1 } });
  expect(await get("/api/activations/")).toMatchObject({ count: 1 });
  const config = { rest_endpoint: "https://rest.iad-01.braze.com", api_key: "a-braze-key" };
  const again = await gateway.server.inject({
    method: "POST",
    url: "/api/activations/",
    headers: { authorization: `ApiKey ${apiKey}` },
    payload: { segment: 7, connector_type: "braze", config },
  });
  expect(again.statusCode).toBe(409);
  expect(gateway.asked).toEqual([]);
});

test("runs come newest first, page by page", async () => {
  await loggedConnector(gateway.storage, 7, { outcomes: ["clean", "no_change", "failed"] });
  const first = await get<Page<{ number: number }>>("/api/activations/7/logs/?page_size=2");
  expect(runPageSchema.parse(first)).toMatchObject({
    count: 3,
    results: [{ number: 3, outcome: "failed" }, { number: 2 }],
  });
  const second = await get<Page<{ number: number }>>("/api/activations/7/logs/?page_size=2&page=2");
  expect(second).toMatchObject({ next: null, results: [{ number: 1, outcome: "clean" }] });
});

test("analytics are in SegOps' shape: a bare array, percent of the last 30 runs, the last five", async () => {
  const outcomes = ["failed", "clean", "clean", "held", "partial", "clean", "no_change"] as const;
  await loggedConnector(gateway.storage, 7, { outcomes: [...outcomes] });
  await loggedConnector(gateway.storage, 8);
  const [seven, eight] = analyticsSchema.parse(await get("/api/analytics/activations/"));
  expect(seven).toMatchObject({ segment_id: 7, success_rate: 71, member_count: 106 });
  expect(seven?.sync_logs.map(({ status, user_count }) => [status, user_count])).toEqual([
    ["success", 106],
    ["success", 105],
    ["error", 104],
    ["success", 103],
    ["success", 102],
  ]);
  expect(eight).toMatchObject({ success_rate: null, sync_logs: [] });
});

test("the session says whose key it is", async () => {
  expect(await get("/api/session/", { authorization: `apikey ${viewerKey}` })).toEqual({
    tenant_slug: "acme",
    role: "viewer",
    temporal_ui_url: null,
    namespace: "default",
    version: "0.0.0-test",
  });
});

test("a key that asks too often is told when to go on; another key is not, nor is the webhook", async () => {
  const limited = await testGateway({ ratePerMinute: 2 });
  const ask = (key: string) =>
    limited.server.inject({ url: "/api/session/", headers: { authorization: `ApiKey ${key}` } });
  const statuses = [await ask(apiKey), await ask(apiKey), await ask(apiKey), await ask(viewerKey)];
  expect(statuses.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429, 200]);
  expect(Number(statuses[2]?.headers["retry-after"])).toBeGreaterThan(0);
  expect(statuses[2]?.json()).toEqual({
    detail: expect.stringMatching(/throttled.*Expected available in \d+ seconds/) as string,
  });
  await limited.server.close();
});

test("the page's files are served, hashed ones to be kept, under a policy that lets nothing else in", async () => {
  const webFolder = await mkdtemp(join(tmpdir(), "segops-braze-web-"));
  await mkdir(join(webFolder, "assets"));
  await writeFile(join(webFolder, "index.html"), "<title>the page</title>");
  await writeFile(join(webFolder, "assets", "main-1a2b3c.js"), "1");
  const paged = await testGateway({ webFolder });
  const page = await paged.server.inject({ url: "/" });
  expect(page.body).toContain("the page");
  expect(page.headers["cache-control"]).toBe("no-cache");
  const script = await paged.server.inject({ url: "/assets/main-1a2b3c.js" });
  expect(script.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  for (const { headers } of [page, script]) {
    expect(headers["content-security-policy"]).toMatch(/default-src 'none'/);
    expect(headers["content-security-policy"]).not.toMatch(/unsafe|https?:/);
    expect(headers["x-content-type-options"]).toBe("nosniff");
  }
  await paged.server.close();
});

test("metrics count by route pattern and status, and name no tenant, id or key", async () => {
  await gateway.server.inject({
    url: "/api/activations/7/explain/?user_id=canary",
    headers: { authorization: `ApiKey ${apiKey}` },
  });
  const { body } = await gateway.server.inject({ url: "/metrics" });
  expect(body).toContain(
    'segops_braze_http_requests_total{method="GET",route="/api/activations/:id/explain/",status="404"} 1',
  );
  expect(body).not.toMatch(/acme|canary|sk_/);
});
