import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { TypedSearchAttributes, defineSearchAttributeKey } from "@temporalio/common";
import { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { findTestServer } from "../../../../sandbox/temporal/executable.ts";
import { startTemporalServer } from "../../../../sandbox/temporal/server.ts";
import type { TemporalServer } from "../../../../sandbox/temporal/server.ts";

// A first run on a machine fetches the program: tens of megabytes.
const timeout = 180_000;
let folder: string;
const started: TemporalServer[] = [];
const connections: Connection[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "segops-braze-server-"));
});

afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
  await Promise.all(started.splice(0).map((server) => server.kill()));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Parameters<typeof startTemporalServer>[0]): Promise<TemporalServer> {
  const server = await startTemporalServer(options);
  started.push(server);
  return server;
}

async function clientOf(server: TemporalServer): Promise<Client> {
  const connection = await Connection.connect({ address: server.address });
  connections.push(connection);
  return new Client({ connection, namespace: server.namespace });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

test(
  "a server killed without warning and started again on its file and port still has the workflow and its search attributes",
  async () => {
    const options = {
      dbFile: join(folder, "kept", "temporal.db"),
      namespace: "segops",
      searchAttributes: { SegopsTenant: "Keyword" },
    };
    const tenant = defineSearchAttributeKey("SegopsTenant", "KEYWORD");
    const first = await start(options);
    const handle = await (
      await clientOf(first)
    ).workflow.start("connector", {
      workflowId: "braze/acme/7",
      taskQueue: "nobody",
      typedSearchAttributes: new TypedSearchAttributes([{ key: tenant, value: "acme" }]),
    });
    await first.kill();
    await expect(Connection.connect({ address: first.address, connectTimeout: 300 })).rejects.toThrow(
      "Failed to connect",
    );

    const second = await start({ ...options, port: first.port });
    expect(second.address).toBe(first.address);
    const found = await (await clientOf(second)).workflow.getHandle("braze/acme/7").describe();
    expect(found).toMatchObject({ runId: handle.firstExecutionRunId, status: { name: "RUNNING" } });
    expect(found.typedSearchAttributes.get(tenant)).toBe("acme");
  },
  timeout,
);

test(
  "stop ends the server, its web UI answers only when a port is given for it, and its warnings go to the log file",
  async () => {
    const uiPort = await freePort();
    const logFile = join(folder, "server.log");
    const server = await start({ uiPort, logFile });
    expect(server.uiUrl).toBe(`http://127.0.0.1:${uiPort}`);
    // The UI's listener opens on its own time, after gRPC.
    await expect
      .poll(() =>
        fetch(`${server.uiUrl}/`).then(
          (answer) => answer.status,
          () => 0,
        ),
      )
      .toBe(200);
    await server.stop();
    await expect(fetch(`${server.uiUrl}/`)).rejects.toThrow("fetch failed");
    expect(() => process.kill(server.pid, 0)).toThrow("ESRCH");
    expect(await readFile(logFile, "utf8")).toContain(server.address.split(":")[1]);
    expect((await start({})).uiUrl).toBeUndefined();
  },
  timeout,
);

test(
  "a start that cannot have its port fails at once with the server's own words",
  async () => {
    const holder = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await new Promise((resolve) => holder.once("listening", resolve));
    const { port } = holder.address() as AddressInfo;
    await expect(start({ port })).rejects.toThrow(
      /The Temporal server ended \(exit code 1\)[^]*address already in use/,
    );
    await new Promise((resolve) => holder.close(resolve));
  },
  timeout,
);

test(
  "the test server that is found skips an hour in no time",
  async () => {
    const { path } = await findTestServer();
    const environment = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: "existing-path", path } },
    });
    const before = Date.now();
    const then = await environment.currentTimeMs();
    await environment.sleep("1 hour");
    expect((await environment.currentTimeMs()) - then).toBeGreaterThanOrEqual(3_600_000);
    expect(Date.now() - before).toBeLessThan(10_000);
    await environment.teardown();
  },
  timeout,
);
