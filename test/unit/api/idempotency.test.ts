import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ClientError } from "../../../src/client.ts";
import { loggedConnector } from "./logged-connector.ts";
import { apiKey, otherKey, testGateway, type TestGateway } from "./test-gateway.ts";

const body = {
  segment: 7,
  connector_type: "braze",
  config: { rest_endpoint: "https://rest.iad-01.braze.com", api_key: "canary-braze-key" },
};

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await testGateway();
});
afterEach(async () => {
  vi.useRealTimers();
  await gateway.server.close();
});

function post(
  key: string | undefined,
  payload: object = body,
  { server } = gateway,
  url = "/api/activations/",
  as = apiKey,
) {
  const headers = { authorization: `ApiKey ${as}`, ...(key ? { "idempotency-key": key } : {}) };
  return server.inject({ method: "POST", url, headers, payload });
}

test("the same key and body get the first answer again, and the connector is asked once", async () => {
  const first = await post("one");
  const again = await post("one");
  expect([first.statusCode, again.statusCode]).toEqual([201, 201]);
  expect(again.json()).toEqual(first.json());
  expect(again.headers["idempotency-replayed"]).toBe("true");
  expect(gateway.asked).toHaveLength(1);
});

test("another gateway over the same storage replays it too, as after a restart", async () => {
  const first = await post("one");
  const other = await testGateway({ storage: gateway.storage });
  const again = await post("one", body, other);
  expect(again.json()).toEqual(first.json());
  expect(other.asked).toEqual([]);
  await other.server.close();
});

test("the same key with another body, or to another address, is refused, and nothing is asked", async () => {
  await loggedConnector(gateway.storage, 9);
  await post("one");
  gateway.asked.length = 0;
  const answers = [
    await post("one", { ...body, segment: 8 }),
    await post("one", {}, gateway, "/api/activations/9/sync/"),
  ];
  for (const answer of answers) {
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toEqual({ "Idempotency-Key": [expect.stringMatching(/new key/) as string] });
  }
  expect(gateway.asked).toEqual([]);
});

test("one tenant's key is nothing to another", async () => {
  await post("one");
  const other = await post("one", body, gateway, "/api/activations/", otherKey);
  expect(other.headers["idempotency-replayed"]).toBeUndefined();
  expect(gateway.asked).toHaveLength(2);
});

test("after 24 hours a key is a new one, and what it stood for is gone from the storage", async () => {
  await post("one");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 24 * 3_600_000 + 1000 });
  await post("two");
  const kept: string[] = [];
  for await (const key of gateway.storage.list("idempotency/")) kept.push(key);
  expect(kept).toHaveLength(2);
  await post("one");
  expect(gateway.asked).toHaveLength(3);
});

test("a request that no worker took is tried again under the same update, on whatever gateway", async () => {
  gateway.connectors.answer = async () => {
    throw new ClientError("worker_silent", "within 5 s");
  };
  const silent = await post("one");
  expect(silent.statusCode).toBe(503);
  expect(silent.headers["retry-after"]).toBe("5");
  const other = await testGateway({ storage: gateway.storage });
  expect((await post("one", body, other)).statusCode).toBe(201);
  const ids = [...gateway.asked, ...other.asked].map(
    ({ args }) => (args[2] as { updateId: string }).updateId,
  );
  expect(ids).toHaveLength(2);
  expect(ids[0]).toBe(ids[1]);
  await other.server.close();
});

test("a repetition of a creation that was done meanwhile gets the connector, not a conflict", async () => {
  gateway.connectors.answer = async (_call, args) => {
    const { updateId } = args[2] as { updateId: string };
    await loggedConnector(gateway.storage, 7, { status: "inactive", change_id: `run-id/${updateId}` });
    throw new ClientError("worker_silent", "within 5 s");
  };
  expect((await post("one")).statusCode).toBe(503);
  const again = await post("one");
  expect(again.statusCode).toBe(201);
  expect(again.json()).toMatchObject({ id: 7, status: "inactive", config: { api_key: "***" } });
  expect((await post("two")).statusCode).toBe(409);
});

test("nothing of the request is kept: neither its key nor the Braze key in it", async () => {
  await post("one-canary-idempotency-key");
  for await (const key of gateway.storage.list("idempotency/")) {
    const text = Buffer.from((await gateway.storage.get(key)) ?? "").toString();
    expect(key + text).not.toMatch(/canary/);
  }
});
