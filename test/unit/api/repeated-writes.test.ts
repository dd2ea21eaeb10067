import { afterEach, beforeEach, expect, test } from "vitest";
import { ClientError, CodedError } from "../../../src/client.ts";
import { loggedConnector } from "./logged-connector.ts";
import { apiKey, testGateway, type TestGateway } from "./test-gateway.ts";

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await testGateway();
  await loggedConnector(gateway.storage, 7);
});
afterEach(() => gateway.server.close());

function patch(payload: object) {
  return gateway.server.inject({
    method: "PATCH",
    url: "/api/activations/7/",
    headers: { authorization: `ApiKey ${apiKey}` },
    payload,
  });
}

const silence = async () => {
  throw new ClientError("worker_silent", "within 5 s");
};

function updateIds(): string[] {
  return gateway.asked.map(({ args }) => (args.at(-1) as { updateId: string }).updateId);
}

test("a write that no worker took says that it may still be done, and its repetition is the same update", async () => {
  const { answer } = gateway.connectors;
  gateway.connectors.answer = silence;
  const silent = await patch({ status: "active" });
  expect(silent.statusCode).toBe(503);
  expect(silent.headers["retry-after"]).toBe("5");
  expect(silent.json()).toEqual({
    detail: expect.stringMatching(/may still be done.*repeat the same request/) as string,
  });
  gateway.connectors.answer = answer;
  expect((await patch({ status: "active" })).statusCode).toBe(200);
  const [first, second] = updateIds();
  expect(second).toBe(first);
});

test("the same words after another request are a new request: activate, deactivate, activate", async () => {
  gateway.connectors.answer = silence;
  await patch({ status: "active" });
  await patch({ status: "inactive" });
  await patch({ status: "active" });
  expect(new Set(updateIds()).size).toBe(3);
});

test("a write that was done is not taken for the next one of the same words", async () => {
  await patch({ status: "active" });
  await patch({ status: "active" });
  expect(new Set(updateIds()).size).toBe(2);
});

test("settings and status in one request stop first and start last", async () => {
  const config = { batch_size: 20 };
  await patch({ status: "active", config });
  await patch({ status: "inactive", config });
  expect(gateway.asked.map(({ call }) => call)).toEqual(["configure", "activate", "deactivate", "configure"]);
});

test("a request of two updates is repeated as itself wherever it fell silent", async () => {
  const { answer } = gateway.connectors;
  const change = { status: "inactive", config: { batch_size: 20 } };
  gateway.connectors.answer = async (call, args) =>
    call === "configure" ? await silence() : await answer(call, args);
  expect((await patch(change)).statusCode).toBe(503);
  gateway.connectors.answer = answer;
  expect((await patch(change)).statusCode).toBe(200);
  const ids = updateIds();
  expect(ids.slice(2)).toEqual(ids.slice(0, 2));
  expect(new Set(ids).size).toBe(2);
});

test("PUT returns what it leaves out to its default and keeps the key that it masks", async () => {
  const answer = await gateway.server.inject({
    method: "PUT",
    url: "/api/activations/7/",
    headers: { authorization: `ApiKey ${apiKey}` },
    payload: {
      id: 7,
      segment: 7,
      last_error: "",
      config: { rest_endpoint: "https://rest.iad-01.braze.com", api_key: "***", batch_size: 20 },
    },
  });
  expect(answer.statusCode).toBe(200);
  expect(gateway.asked[0]?.args[1]).toEqual({
    rest_endpoint: "https://rest.iad-01.braze.com",
    api_key: "***",
    segment_id: null,
    attribute_name: null,
    exit_mode: null,
    create_missing_users: null,
    max_removal_percent: null,
    requests_per_second: null,
    batch_size: 20,
  });
});

test("a creation that another one overtook is a conflict that names the field, and changes nothing", async () => {
  gateway.connectors.answer = async () => {
    throw new CodedError("connector_exists", "acme/8, inactive");
  };
  const config = { rest_endpoint: "https://rest.iad-01.braze.com", api_key: "a-braze-key" };
  const answer = await gateway.server.inject({
    method: "POST",
    url: "/api/activations/",
    headers: { authorization: `ApiKey ${apiKey}` },
    payload: { segment: 8, connector_type: "braze", config },
  });
  expect(answer.statusCode).toBe(409);
  expect(answer.json()).toEqual({ segment: [expect.stringContaining("has a connector already")] });
  expect(gateway.asked.map(({ call }) => call)).toEqual(["create"]);
});
