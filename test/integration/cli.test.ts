import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startStack, type Stack } from "../../sandbox/stack.ts";
import { createConnectors, type ConnectorView, type ListedConnector } from "../../src/client.ts";
import { connectorWorkflowId } from "../../src/contracts/connector-id.ts";
import type { RunSummary } from "../../src/contracts/run.ts";
import { runCli, type Ran } from "../unit/cli/run-cli.ts";

// One story, told in order: each test stands on the one before.
const apiKey = "b2f1c1f0-canary-key";
const key = { tenant_slug: "acme", segment_id: 7 };
let stack: Stack;
let connection: Connection;
let client: Client;
let keyFile: string;
const printed: string[] = [];

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), "segops-braze-cli-"));
  stack = await startStack({ dir, env: { QUIET_WINDOW_SECONDS: "0" } });
  connection = await Connection.connect({ address: stack.temporal.address });
  client = new Client({ connection });
  keyFile = join(dir, "braze-key");
  await writeFile(keyFile, `${apiKey}\n`);
  await stack.braze.putWorkspace({ key: apiKey });
  await stack.segops.putSegment("acme", 7, {
    name: "High LTV Buyers",
    generate: { count: 200, prefix: "u" },
  });
  await stack.segops.recompute("acme", 7);
});
afterAll(async () => {
  await connection?.close();
  await stack?.stop();
});

async function cli(...args: string[]): Promise<Ran> {
  const ran = await runCli(args, { env: stack.env });
  printed.push(ran.stdout, ran.stderr);
  return ran;
}

/** What a command that must succeed printed as JSON, with nothing else on either stream. */
async function json<Document>(...args: string[]): Promise<Document> {
  const ran = await cli(...args, "--json");
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  return JSON.parse(ran.stdout) as Document;
}

function create(...more: string[]): string[] {
  return [
    "connector",
    "create",
    "acme/7",
    "--rest-endpoint",
    stack.brazeUrl,
    "--api-key-file",
    keyFile,
    ...more,
  ];
}

test("before setup a command says to run it", async () => {
  const ran = await cli(...create());
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toMatch(/segops-braze setup.*\[search_attributes_missing\]/);
});

test("setup returns when connectors can be started, and again does no harm", async () => {
  const first = await json<{ added: string[] }>("setup");
  expect(first.added.toSorted()).toEqual([
    "ConnectorStatus",
    "LastSyncedAt",
    "RejectedCount",
    "RunOutcome",
    "SegopsSegment",
    "SegopsTenant",
  ]);
  await createConnectors({ client }).recompute({ tenant_slug: "acme", segment_id: 999 });
  expect(await json("setup")).toMatchObject({ added: [], present: expect.arrayContaining(first.added) });
});

test("where no worker answers, that is what is said; a list needs none", async () => {
  const ran = await cli(...create());
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toMatch(
    /no worker answered \(within 5 s\).*`segops-braze worker` running\?.*\[worker_silent\]/,
  );
  expect((await cli("connector", "list")).code).toBe(0);
});

test("a connector that was never created is not there to be shown, changed or run", async () => {
  await stack.startWorker();
  for (const args of [["show"], ["activate"], ["sync"], ["configure", "--set", "batch_size=5"]]) {
    const [name = "", ...options] = args;
    const ran = await cli("connector", name, "acme/8", ...options);
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toContain("[connector_not_found]");
  }
});

test("create makes an inactive connector with its defaults, once", async () => {
  expect(await json<ConnectorView>(...create("--set", "batch_size=50"))).toMatchObject({
    tenant_slug: "acme",
    segment: 7,
    status: "inactive",
    config: { rest_endpoint: stack.brazeUrl, api_key: "***", batch_size: 50, max_removal_percent: 30 },
  });
  const again = await cli(...create());
  expect(again).toMatchObject({ code: 1, stdout: "" });
  expect(again.stderr).toContain("[connector_exists]");
});

test("configure changes what is named, keeps the stored key and returns what is unset to its default", async () => {
  const changed = await json<ConnectorView>(
    "connector",
    "configure",
    "acme/7",
    "--set",
    "exit_mode=set_false",
    "--unset",
    "batch_size",
  );
  expect(changed.config).toMatchObject({ exit_mode: "set_false", batch_size: 75, api_key: "***" });
  const moved = await cli(
    "connector",
    "configure",
    "acme/7",
    "--rest-endpoint",
    "https://rest.iad-01.braze.com",
  );
  expect(moved).toMatchObject({ code: 1 });
  expect(moved.stderr).toMatch(/api_key: is required again when rest_endpoint changes.*\[config_invalid\]/);
});

test("sync of an inactive connector is refused", async () => {
  const ran = await cli("connector", "sync", "acme/7", "--json");
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(JSON.parse(ran.stderr)).toEqual({
    error: { code: "connector_inactive", message: expect.stringContaining("Activate it first.") },
  });
});

test("activate --wait ends with the first run, and Braze has the members", async () => {
  const ran = await cli("connector", "activate", "acme/7", "--wait");
  expect(ran.code).toBe(0);
  expect(ran.stderr).toMatch(/^Activated\.\n/);
  expect(ran.stdout).toMatch(/run 1 \(\w+\): clean, 200 entered/);
  await stack.braze.settle(apiKey);
  const members: string[] = [];
  for await (const user of stack.braze.members(apiKey, { attribute: "segops_segment_7" })) members.push(user);
  expect(members).toHaveLength(200);
});

test("sync --wait runs again, with nothing to send", async () => {
  const view = await json<ConnectorView>("connector", "sync", "acme/7", "--wait");
  expect(view).toMatchObject({
    status: "active",
    current_run: null,
    last_run: { number: 2, outcome: "no_change" },
  });
});

test("logs tell the runs newest first, as many as are asked for, without Temporal", async () => {
  const env = { STORAGE_URL: stack.env["STORAGE_URL"] ?? "", TEMPORAL_ADDRESS: "127.0.0.1:1" };
  const ran = await runCli(["connector", "logs", "acme/7", "--json"], { env });
  const { runs } = JSON.parse(ran.stdout) as { runs: RunSummary[] };
  expect(runs.map(({ number, outcome, entered }) => ({ number, outcome, entered }))).toEqual([
    { number: 2, outcome: "no_change", entered: 0 },
    { number: 1, outcome: "clean", entered: 200 },
  ]);
  const table = await cli("connector", "logs", "acme/7", "--limit", "1");
  expect(table.stdout).toMatch(/^RUN +OUTCOME.*\n +2 +no_change/);
  expect(table.stdout.trim().split("\n")).toHaveLength(2);
});

test("list and show tell the same connector", async () => {
  await expect
    .poll(
      async () =>
        (
          await json<{ connectors: ListedConnector[] }>(
            "connector",
            "list",
            "--tenant",
            "acme",
            "--status",
            "active",
          )
        ).connectors,
    )
    .toEqual([
      expect.objectContaining({ tenant_slug: "acme", segment: 7, last_outcome: "no_change", rejected: 0 }),
    ]);
  const shown = await cli("connector", "show", "acme/7");
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  expect(shown.stdout).toMatch(/^acme\/7 {2}High LTV Buyers, 200 members\n/);
});

test("a terminated connector comes back from its log at the next command", async () => {
  await client.workflow.getHandle(connectorWorkflowId(key)).terminate("by the test");
  const view = await json<ConnectorView>("connector", "deactivate", "acme/7");
  expect(view).toMatchObject({ status: "inactive", member_count: 200, last_run: { number: 2 } });
});

test("create finds a terminated connector in its log and leaves it alone", async () => {
  await client.workflow.getHandle(connectorWorkflowId(key)).terminate("by the test");
  const ran = await cli(...create());
  expect(ran).toMatchObject({ code: 1 });
  expect(ran.stderr).toContain("(acme/7, inactive)");
});

test("a deleted connector is gone and can be created again", async () => {
  expect(await json("connector", "delete", "acme/7", "--yes")).toEqual({
    connector: "acme/7",
    status: "removed",
  });
  expect((await cli("connector", "show", "acme/7")).stderr).toContain("[connector_not_found]");
  expect(await json<ConnectorView>(...create("--activate"))).toMatchObject({ status: "active" });
});

test("resync --wait writes everyone again", async () => {
  const view = await json<ConnectorView>("connector", "resync", "acme/7", "--wait");
  expect(view.last_run).toMatchObject({ reason: "resync", outcome: "clean", entered: 200, exited: 0 });
});

test("verify --wait tells how many users it read back and repairs, and fails where the key may not read", async () => {
  await json("connector", "verify", "acme/7", "--sample", "50", "--wait");
  const ran = await cli("connector", "verify", "acme/7", "--sample", "50", "--wait");
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stdout).toMatch(/^All 50 users that were read back are as the ledger says\./);
  expect(ran.stdout).toMatch(/verified +50 users read back, 0 of them wrong in Braze/);

  const permissions = ["users.track", "subscription.status.set"];
  await stack.braze.putWorkspace({ key: apiKey, permissions });
  const refused = await cli("connector", "verify", "acme/7", "--wait");
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/users\.export\.ids.*\[braze_permission_missing\]/s);
});

test("exits that are held are shown with what to do, and approve-removal --wait lets them go", async () => {
  await stack.segops.change("acme", 7, { exitFirst: 150 });
  await stack.segops.recompute("acme", 7);
  const held = await json<ConnectorView>("connector", "sync", "acme/7", "--wait");
  expect(held).toMatchObject({ last_run: { outcome: "held" }, pending_removal: { users: 150 } });
  const { digest } = held.pending_removal ?? {};
  const approve = `connector approve-removal acme/7 --digest ${digest}`;
  expect((await cli("connector", "show", "acme/7")).stdout).toContain(approve);

  const refused = await cli("connector", "approve-removal", "acme/7", "--digest", "0".repeat(64));
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(/digest: names no removal that is held.*\[config_invalid\]/);

  const ran = await cli(...approve.split(" "), "--wait");
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stderr).toMatch(/^Approved\.\n/);
  expect(ran.stdout).toMatch(/\(approved\): clean, 0 entered, 150 exited/);
  expect(await json<ConnectorView>("connector", "show", "acme/7")).toMatchObject({ pending_removal: null });
});

test("no command printed the key", () => {
  expect(printed.join("\n")).toContain("acme/7");
  expect(printed.join("\n")).not.toContain(apiKey);
});
