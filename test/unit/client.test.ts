import { Client, Connection, WorkflowUpdateFailedError } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import { afterAll, expect, test } from "vitest";
import { createSealingKeys, openKey } from "../../src/braze/sealed-key.ts";
import { createConnectors } from "../../src/client.ts";
import { askWorker, codedError } from "../../src/client/ask.ts";
import { sealSettings } from "../../src/client/settings.ts";
import { startOptions } from "../../src/client/start-options.ts";
import { errorMessage } from "../../src/contracts/errors.ts";

const key = { tenant_slug: "acme", segment_id: 7 };
const endpoint = "https://rest.iad-01.braze.com";

// Nobody listens on port 1: a call that is refused with another code was refused before it was sent.
const connection = Connection.lazy({ address: "127.0.0.1:1" });
const { publicKeys, privateKeys } = await createSealingKeys();
const connectors = createConnectors({
  client: new Client({ connection }),
  sealingKeys: publicKeys,
  answerTimeoutMs: 200,
});
afterAll(() => connection.close());

test("create refuses bad settings before it sends anything, naming each field and not the key", async () => {
  const settings = {
    rest_endpoint: "https://example.com",
    api_key: "two words",
    batch_size: 76,
    colour: "red",
  };
  const refused = await connectors
    .create(key, settings)
    .catch((error: unknown) => error as Error & { code: string });
  expect(refused).toMatchObject({ code: "config_invalid" });
  const { message } = refused as Error;
  for (const field of ["rest_endpoint: ", "api_key: ", "batch_size: ", "colour"])
    expect(message).toContain(field);
  expect(message).not.toContain("two words");
});

test.each([{}, { api_key: "***" }, { api_key: "" }])(
  "create needs an endpoint and a key: %o",
  async (settings) => {
    await expect(connectors.create(key, settings)).rejects.toThrow(/rest_endpoint: is required.*api_key: /);
  },
);

test("a stand-in's origin is refused unless it is allowed", async () => {
  const settings = { rest_endpoint: "http://127.0.0.1:9797", api_key: "a-key" };
  await expect(connectors.create(key, settings)).rejects.toMatchObject({ code: "config_invalid" });
  const client = new Client({ connection });
  const lenient = createConnectors({
    client,
    sealingKeys: publicKeys,
    answerTimeoutMs: 200,
    allowedOrigins: ["http://127.0.0.1:9797"],
  });
  await expect(lenient.create(key, settings)).rejects.toMatchObject({ code: "temporal_unreachable" });
});

test("a stored key cannot be taken away, and one in clear needs something to seal it with", async () => {
  const unset = connectors.configure(key, { api_key: null as never });
  await expect(unset).rejects.toThrow("api_key: cannot be unset");
  const unequipped = createConnectors({ client: new Client({ connection }) });
  const created = unequipped.create(key, { rest_endpoint: endpoint, api_key: "a-key" });
  await expect(created).rejects.toThrow("api_key: cannot be sealed without the workers' public sealing keys");
});

test("a key is sealed for its connector and host alone; a masked or sealed one stays as it is", async () => {
  const { api_key: sealed } = await sealSettings(key, { api_key: "a-key" }, endpoint, publicKeys);
  const sealedFor = { connector: "braze/acme/7", host: "rest.iad-01.braze.com" };
  expect(await openKey(sealed ?? "", sealedFor, privateKeys)).toBe("a-key");
  await expect(
    openKey(sealed ?? "", { ...sealedFor, connector: "braze/acme/8" }, privateKeys),
  ).rejects.toThrow("it was sealed for another connector");
  expect(await sealSettings(key, { api_key: "***" }, endpoint, undefined)).toEqual({ api_key: "***" });
  expect(await sealSettings(key, { api_key: sealed }, endpoint, publicKeys)).toEqual({ api_key: sealed });
});

test("a recompute that names no connector is refused, naming both fields", async () => {
  for (const body of [undefined, "text", {}, { tenant_slug: "../x", segment_id: "7; --" }]) {
    await expect(connectors.recompute(body)).rejects.toMatchObject({ code: "name_invalid", status: 400 });
  }
  await expect(connectors.recompute({ tenant_slug: "A", segment_id: 0 })).rejects.toThrow(
    /tenant_slug: .*segment_id: /,
  );
});

test("a recompute whose segment is a quoted number is for that segment", async () => {
  const body = { tenant_slug: "acme", segment_id: "7" };
  await expect(connectors.recompute(body)).rejects.toMatchObject({ code: "temporal_unreachable" });
});

test("no name gets into a workflow id or a visibility query unchecked", async () => {
  const named = { tenant_slug: "acme' OR '1'='1", segment_id: 7 };
  await expect(connectors.activate(named)).rejects.toMatchObject({ code: "name_invalid" });
  await expect(connectors.describe(named)).rejects.toMatchObject({ code: "name_invalid" });
  await expect(connectors.list({ tenant: named.tenant_slug })).rejects.toMatchObject({
    code: "name_invalid",
  });
  await expect(connectors.list({ status: "x' OR" as never })).rejects.toMatchObject({ code: "name_invalid" });
});

test("a summary that is too long is cut between characters, within Temporal's 200 bytes", () => {
  const { staticSummary } = startOptions(key, "顧".repeat(100));
  expect(staticSummary).toBe("顧".repeat(66));
});

test("an error that crossed Temporal has its words once", () => {
  const words = errorMessage("config_invalid", "batch_size: must be at most 75");
  expect(codedError("config_invalid", words)).toMatchObject({
    code: "config_invalid",
    detail: "batch_size: must be at most 75",
    message: words,
  });
  expect(codedError("connector_inactive", errorMessage("connector_inactive"))).toMatchObject({ detail: "" });
});

test("a connector that was ended before it answered is unheard, not refused: what was asked may have been done", async () => {
  const ended = ApplicationFailure.nonRetryable("completed before", "AcceptedUpdateCompletedWorkflow");
  const question = () => Promise.reject(new WorkflowUpdateFailedError("Workflow Update failed", ended));
  const asked = askWorker(new Client({ connection }), 200, question);
  await expect(asked).rejects.toMatchObject({ code: "worker_silent" });
});

test("a connector that was ended before it took what was asked is unheard too", async () => {
  // As the SDK throws what Temporal said of the update beside a start that went well.
  const thrown = Object.assign(new Error("workflow update was aborted by closing workflow"), {
    code: 5,
    details: "",
    metadata: {},
  });
  const asked = askWorker(new Client({ connection }), 200, () => Promise.reject(thrown));
  await expect(asked).rejects.toMatchObject({ code: "worker_silent" });
});
