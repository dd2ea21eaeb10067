import { createHmac } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Process } from "../../sandbox/process.ts";
import { gatewayKey, segopsKey, webhookSecret } from "../../sandbox/stack-environment.ts";
import { freePort } from "../../sandbox/temporal/free-port.ts";
import { createConnectors } from "../../src/client.ts";
import { handlerNames } from "../../src/contracts/temporal-names.ts";
import { canariesIn, historiesOf, storedText, visibleOf } from "./canary-search.ts";
import { startStage, type Stage } from "./harness.ts";
import { ids, type TestConnector } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

const userCanary = "canary-user-7c1e";
const keyCanary = "canary-braze-key-93f2";
const planted = "canary-planted-51ab";
const canaries = { brazeKey: keyCanary, segopsKey, userId: userCanary, gatewayKey, webhookSecret };

let stage: Stage;
let worker: Process;
let gossip: Server;
let gossipUrl: string;
let gossipStatus = 400;
let metricsAddress: string;
const commandOutput: string[] = [];
let gatewayUrl: string;
/** Status, headers and body of each. */
const gatewayAnswers: string[] = [];

beforeAll(async () => {
  gossip = await startGossip();
  gossipUrl = `http://127.0.0.1:${(gossip.address() as AddressInfo).port}`;
  stage = await startStage();
  worker = await startWorker();
  await Promise.all([succeeds(), isRefused(), isRepeatedBack(), isRetried(), readsBadPages()]);
  await isKilled();
  await runsCommands();
  await asksGateway();
}, 300_000);
afterAll(async () => {
  gossip.close();
  await stage.stop();
});

async function startWorker(): Promise<Process> {
  metricsAddress = `127.0.0.1:${await freePort()}`;
  const allowed = `${stage.stack.brazeUrl},${gossipUrl}`;
  return await stage.startWorker({
    METRICS_ADDRESS: metricsAddress,
    ALLOWED_BRAZE_ORIGINS: allowed,
    LOG_LEVEL: "trace",
    VERIFY_SAMPLE_USERS: "500",
  });
}

/** A Braze that repeats in each error whatever it was sent: the key, the ids, the whole body. */
async function startGossip(): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const said = `${request.headers.authorization} sent ${Buffer.concat(chunks).toString()}`;
      response.writeHead(gossipStatus, { "content-type": "application/json", "x-said": "gossip" });
      const errors = [{ type: said, index: 0, input_array: "attributes" }, said];
      response.end(JSON.stringify({ message: said, ...(gossipStatus === 201 ? { errors } : {}) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function connector(): TestConnector {
  return stage.connector(keyCanary);
}

function people(count: number): string[] {
  return ids(count, `${userCanary}-`);
}

async function succeeds(): Promise<void> {
  const run = connector();
  const odd = [`${userCanary}${"x".repeat(990)}`, `${userCanary}\ud800`, `${userCanary} "quoted"`];
  const blockedIds = [`${userCanary}-3`, `${userCanary}-70`];
  const members = [...people(300), ...odd];
  await run.start({ members }, { segment_id: "6f1a3c52-0b0f-4c6e-9b5a-0f3f6c0d9a11" }, { blockedIds });
  await run.ran(1);
  await run.recompute({ exitFirst: 50 });
  await run.ran(2);
}

/** Wrong key: the stand-in's 401 repeats it. */
async function isRefused(): Promise<void> {
  const run = stage.connector(`${keyCanary}-revoked`);
  await run.start({ members: people(100) }, {}, { revoked: true });
  expect(await run.ran(1)).toMatchObject({ error: { code: "braze_key_rejected" } });
  await run.configure({ api_key: `${keyCanary}-another` });
  await run.ran(2);
}

async function isRepeatedBack(): Promise<void> {
  const { client, stack } = stage;
  const sealingKeys = JSON.parse(
    await readFile(stack.env["SEALING_PUBLIC_KEYS_FILE"] ?? "", "utf8"),
  ) as never;
  const patient = { answerTimeoutMs: 20_000 };
  const connectors = createConnectors({ client, sealingKeys, allowedOrigins: [gossipUrl], ...patient });
  for (const status of [400, 401, 201, 503]) {
    gossipStatus = status;
    const run = connector();
    await run.segment({ members: people(100) });
    await run.compute();
    await connectors.create(run.key, { rest_endpoint: gossipUrl, api_key: keyCanary }, { activate: true });
    if (status === 503) {
      await eventually("the part gives up", async () => (await workerLog()).includes("braze_unavailable"));
      gossipStatus = 400;
    }
    await run.ran(1);
  }
}

function workerLog(): Promise<string> {
  return readFile(join(stage.dir, "worker.log"), "utf8");
}

async function isRetried(): Promise<void> {
  const run = stage.connector(`${keyCanary}-retried`);
  for (const kind of ["503", "truncated_201", "errors_as_strings", "reset_mid"] as const) {
    await stage.stack.braze.addFault({ kind, key: run.brazeKey, times: 2 });
  }
  await run.start({ members: people(500) });
  await run.ran(1);
}

async function isKilled(): Promise<void> {
  const run = stage.connector(`${keyCanary}-killed`);
  await run.start({ members: people(2_000) }, { batch_size: 10 }, { answerDelayMs: 200 });
  await eventually("it sends", async () => (await run.requests()) > 40);
  await worker.kill();
  await run.workspace({ answerDelayMs: 0 });
  worker = await startWorker();
  await run.ran(1);
}

/** Answers that cannot be parsed: a parser's own words would quote them. */
async function readsBadPages(): Promise<void> {
  const run = connector();
  for (const kind of ["truncated", "html"] as const) {
    await stage.stack.segops.addFault({ kind, on: "members", segment: run.id });
  }
  await run.start({ members: people(200) });
  await run.ran(1);
  // A caller's mistake: what it signalled is its own, and so in its history; ours must find it there.
  await stage.client.workflow.getHandle(run.workflowId).signal(handlerNames.recompute, { note: planted });
  await run.ran(2);
}

async function runsCommands(): Promise<void> {
  const keyFile = join(stage.dir, "api-key");
  await writeFile(keyFile, keyCanary);
  const endpoint = ["--rest-endpoint", stage.stack.brazeUrl, "--api-key-file", keyFile];
  const commands = [
    ["connector", "create", "acme/900", ...endpoint],
    ["connector", "create", "acme/901", "--rest-endpoint", "https://example.com", "--api-key-file", keyFile],
    ["connector", "create", "acme/902", ...endpoint, `--api-key=${keyCanary}`],
    ["connector", "list", "--json"],
    ["connector", "show", "acme/1", "--json"],
    ["connector", "show", "acme/2"],
    ["connector", "logs", "acme/2", "--json"],
    ["connector", "logs", "acme/1"],
  ];
  for (const command of commands) commandOutput.push((await stage.stack.run(command)).output);
}

/** Canaries wherever a caller may put one: in what is done, in what is refused, and in what cannot be read. */
async function asksGateway(): Promise<void> {
  gatewayUrl = (await stage.stack.startGateway({ LOG_LEVEL: "trace" })).url;
  const user = `user_id=${encodeURIComponent(`${userCanary}-5`)}`;
  const create = { segment: 950, connector_type: "braze" };
  const config = { rest_endpoint: stage.stack.brazeUrl, api_key: keyCanary };
  const wrong = {
    ...config,
    segment_id: { [keyCanary]: userCanary },
    colour: userCanary,
    batch_size: keyCanary,
  };
  const elsewhere = { config: { rest_endpoint: `https://${keyCanary}.example.com`, api_key: keyCanary } };
  const recompute = { tenant_slug: "acme", segment_id: 1, segment_name: "A", members: [userCanary] };
  const garbled = `{"api_key":"${keyCanary}","user_id":"${userCanary}`;
  const once = { "idempotency-key": `${keyCanary}-once` };
  await asked(200, "GET", `/activations/1/explain/?${user}`);
  await asked(404, "GET", `/activations/999/explain/?${user}`);
  await asked(400, "GET", `/activations/1/explain/?${user}&limit=${userCanary}`);
  await asked(404, "GET", `/activations/${userCanary}/`);
  await asked(404, "GET", `/${userCanary}/?api_key=${keyCanary}`);
  await asked(201, "POST", "/activations/", { ...create, config }, once);
  await asked(201, "POST", "/activations/", { ...create, config }, once);
  await asked(409, "POST", "/activations/", { ...create, config: { ...config, batch_size: 50 } }, once);
  await asked(409, "POST", "/activations/", { ...create, config });
  await asked(400, "POST", "/activations/", { ...create, segment: userCanary, config: wrong });
  await asked(400, "PATCH", "/activations/950/", elsewhere);
  await asked(200, "PATCH", "/activations/950/", { config: { api_key: `${keyCanary}-next` } });
  await asked(400, "POST", "/activations/", garbled);
  await asked(409, "POST", "/activations/950/sync/");
  await asked(401, "GET", "/activations/", undefined, { authorization: `ApiKey ${keyCanary}` });
  await asked(401, "GET", "/activations/", undefined, { authorization: `Bearer ${gatewayKey}.${keyCanary}` });
  await asked(401, "GET", "/activations/", undefined, { authorization: gatewayKey });
  await asked(401, "POST", "/webhooks/segops/", recompute, { "x-segops-signature": webhookSecret });
  await asked(400, "POST", "/webhooks/segops/", garbled, signed(garbled));
  await asked(202, "POST", "/webhooks/segops/", recompute, signed(JSON.stringify(recompute)));
  await asked(204, "DELETE", "/activations/950/");
}

function signed(body: string): Record<string, string> {
  return { "x-segops-signature": createHmac("sha256", webhookSecret).update(body).digest("hex") };
}

async function asked(
  status: number,
  method: string,
  path: string,
  body?: object | string,
  headers: Record<string, string> = {},
): Promise<void> {
  const answer = await fetch(`${gatewayUrl}/api${path}`, {
    method,
    headers: {
      authorization: `ApiKey ${gatewayKey}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const told = `${JSON.stringify([...answer.headers])} ${await answer.text()}`;
  expect({ asked: `${method} ${path}`, status: answer.status, told }).toMatchObject({ status });
  gatewayAnswers.push(told);
}

test("the search finds a canary where one was planted, encoded as histories encode it", async () => {
  const histories = await historiesOf(stage);
  const found = histories.filter(({ text }) => canariesIn(text, { planted }).length > 0);
  expect(found.map(({ name }) => name)).toEqual([expect.stringContaining("braze/acme/")]);
  // Not in clear in what the server hands out: it takes decoding to find it.
  expect(found[0]?.raw).not.toContain(planted);
  for (const way of [planted, JSON.stringify({ a: planted }), encodeURIComponent(planted)]) {
    expect(canariesIn(way, { planted })).toEqual(["planted"]);
  }
  expect(canariesIn(Buffer.from(`"${planted}"`).toString("base64"), { planted })).toEqual(["planted"]);
});

test("no workflow history holds a key or a user id", async () => {
  const histories = await historiesOf(stage);
  expect(histories.length).toBeGreaterThan(15);
  expect(
    histories.filter(({ text }) => canariesIn(text, canaries).length > 0).map(({ name }) => name),
  ).toEqual([]);
});

test("nothing that Temporal shows without a history does: search attributes, memos, summaries, queries", async () => {
  const visible = await visibleOf(stage);
  expect(visible.map(({ text }) => text).join("\n")).toContain("braze_key_rejected");
  expect(visible.filter(({ text }) => canariesIn(text, canaries).length > 0).map(({ name }) => name)).toEqual(
    [],
  );
});

test("no line of a worker's log does, even at the lowest level", async () => {
  const log = await workerLog();
  for (const code of ["braze_key_rejected", "braze_request_refused", "braze_unavailable"]) {
    expect(log.includes(code), `the log tells of ${code}`).toBe(true);
  }
  expect(canariesIn(log, canaries)).toEqual([]);
  expect(canariesIn(await readFile(join(stage.dir, "temporal.log"), "utf8"), canaries)).toEqual([]);
});

test("no metric does", async () => {
  const page = await (await fetch(`http://${metricsAddress}/metrics`)).text();
  expect(page).toContain("temporal_");
  expect(canariesIn(page, canaries)).toEqual([]);
});

test("nothing that the gateway answers does, nor its log at the lowest level, nor its metrics", async () => {
  expect(gatewayAnswers.length).toBeGreaterThan(20);
  expect(gatewayAnswers.filter((answer) => canariesIn(answer, canaries).length > 0)).toEqual([]);
  const log = await readFile(join(stage.dir, "gateway.log"), "utf8");
  for (const told of ["/api/activations/:id/explain/", '"route":"none"', '"status":401'])
    expect(log).toContain(told);
  expect(canariesIn(log, canaries)).toEqual([]);
  const metrics = await (await fetch(`${gatewayUrl}/metrics`)).text();
  expect(metrics).toContain('route="/api/activations/:id/explain/"');
  expect(canariesIn(metrics, canaries)).toEqual([]);
});

test("nothing that the command line prints does, when it succeeds and when it refuses", () => {
  const printed = commandOutput.join("\n");
  for (const words of ["braze_key_rejected", "rest_endpoint", "***"]) expect(printed).toContain(words);
  expect(canariesIn(printed, canaries)).toEqual([]);
});

test("in storage user ids are in Parquet files alone, and a Braze key only sealed", async () => {
  const files = await storedText(stage);
  expect(files.some(({ name }) => name.includes("config/"))).toBe(true);
  expect(files.filter(({ text }) => canariesIn(text, canaries).length > 0).map(({ name }) => name)).toEqual(
    [],
  );
  const configs = files.filter(({ name }) => name.includes("config/"));
  for (const { text } of configs) {
    expect(JSON.parse(text)).toMatchObject({
      config: { api_key: expect.stringMatching(/^ey[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/) },
    });
  }
});
