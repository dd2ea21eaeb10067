// The gateway's figures of docs/benchmarks.md: signed webhooks on a fixed schedule through the compiled gateway and worker, next to the
// same server's /healthz in the same run. Loopback only. Exit status 0 only where nothing failed or was lost.
// Where others use the machine too, WEBHOOKS_PRIORITY=-10 has the gateway and the load (not Temporal, not the worker) go before them.
// WEBHOOKS_PER_SECOND, WEBHOOKS_SECONDS and WEBHOOKS_CONNECTORS change its size.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, loadavg, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ConnectorView } from "../src/contracts/view.ts";
import type * as sandbox from "../sandbox/stack.ts";
import { tenant, webhookSecret } from "../sandbox/stack-environment.ts";
import type { LoadMessage, LoadResult } from "./webhook-load.ts";

const perSecond = Number(process.env["WEBHOOKS_PER_SECOND"] ?? 500);
const seconds = Number(process.env["WEBHOOKS_SECONDS"] ?? 30);
const connectorCount = Number(process.env["WEBHOOKS_CONNECTORS"] ?? 20);
const priority = Number(process.env["WEBHOOKS_PRIORITY"] ?? 0);
/** Each segment is computed anew this often, and a last time before the load ends. */
const recomputeEveryMs = 5_000;
const members = 100;
const brazeKey = "webhooks-key";
const segments = Array.from({ length: connectorCount }, (_, index) => index + 1);
/** The newest `computed_at` of each segment: what must be delivered in the end. */
const newest = new Map<number, string>();

// The compiled code, as an operator runs it; `npm ci` has built it.
const dist = new URL("../dist/sandbox/stack.js", import.meta.url).href;
const { startStack } = (await import(dist)) as typeof sandbox;

const dir = await mkdtemp(join(tmpdir(), "segops-braze-webhooks-"));
const stack = await startStack({ dir });
try {
  await stack.setup();
  await stack.startWorker();
  const gateway = await stack.startGateway();
  await stack.braze.putWorkspace({ key: brazeKey, headerMode: "off", applyDelayMs: 0 });
  await Promise.all(segments.map(createConnector));
  await allDelivered();
  const runsBefore = await runNumbers();
  const before = await coreSeconds(gateway.pid);

  const load = fork(fileURLToPath(new URL("webhook-load.ts", import.meta.url)));
  for (const pid of [gateway.pid, load.pid]) if (priority !== 0 && pid) setPriority(pid, priority);
  const tell = (message: LoadMessage) => load.send(message);
  await recomputeAll(tell);
  const loadBefore = loadavg()[0];
  const done = once(load, "message") as Promise<[LoadResult]>;
  tell({ url: gateway.url, secret: webhookSecret, segments: connectorCount, perSecond, seconds });
  const started = Date.now();
  while (Date.now() - started + recomputeEveryMs < seconds * 1000) {
    await delay(recomputeEveryMs);
    await recomputeAll(tell);
  }
  const [result] = await done;
  const after = await coreSeconds(gateway.pid);
  const ended = new Date().toISOString();
  const runsAtEnd = await runNumbers();
  const views = await allDelivered();
  // Longer than the window in which webhooks are coalesced: what would still follow has followed.
  await delay(12_000);
  const runsAfter = await runNumbers();
  const trailing = segments.map((_, index) => (runsAfter[index] ?? 0) - (runsAtEnd[index] ?? 0));
  const signals = await Promise.all(segments.map(signalCount));

  const { statuses, webhooks, healthz } = result;
  const answered = webhooks.count + healthz.count;
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.version}, priority ${priority}, load average ${loadBefore?.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after`,
  );
  print(`${perSecond} webhooks/s for ${seconds} s to ${connectorCount} connectors`, { ...webhooks });
  print("/healthz of the same server, 50/s at the same time", { ...healthz });
  print("ratio", { p50: webhooks.p50Ms / healthz.p50Ms, p99: webhooks.p99Ms / healthz.p99Ms });
  const had = after.had - before.had;
  print("seconds that the gateway had of a core, and was kept waiting for one", {
    had,
    waited: after.waited - before.waited,
    msPerAnswer: (had * 1000) / answered,
  });
  console.log(`answers by status: ${JSON.stringify(statuses)}`);
  print("signals to a connector", { most: Math.max(...signals), all: sum(signals) });
  print("runs", {
    duringTheLoad: sum(runsAtEnd) - sum(runsBefore),
    trailing: sum(trailing),
    mostTrailing: Math.max(...trailing),
  });
  const whole = views.filter(({ member_count }) => member_count === members).length;
  console.log(`newest recompute delivered: ${whole} of ${connectorCount} connectors; load ended ${ended}`);
  const failed = webhooks.count - (statuses[202] ?? 0);
  if (failed > 0 || Math.max(...trailing) > 1 || whole !== connectorCount) process.exitCode = 1;
} finally {
  await stack.stop();
  await rm(dir, { recursive: true, force: true });
}

async function createConnector(segment: number): Promise<void> {
  const generate = { count: members, prefix: `user-${segment}-` };
  await stack.segops.putSegment(tenant, segment, { name: `Bench ${segment}`, generate });
  const { computed_at } = await stack.segops.recompute(tenant, segment, { webhook: false });
  newest.set(segment, computed_at);
  const settings = { rest_endpoint: stack.brazeUrl, api_key: brazeKey };
  await stack.connectors.create({ tenant_slug: tenant, segment_id: segment }, settings, { activate: true });
}

/** One of a hundred leaves and another comes, and the next webhooks say so. */
async function recomputeAll(tell: (message: LoadMessage) => boolean): Promise<void> {
  for (const segment of segments) {
    const prefix = `user-${segment}-${Date.now()}-`;
    await stack.segops.change(tenant, segment, { exitFirst: 1, enterGenerate: { count: 1, prefix } });
    const { computed_at } = await stack.segops.recompute(tenant, segment, { webhook: false });
    newest.set(segment, computed_at);
    tell({ segment, body: await stack.segops.webhookBody(tenant, segment) });
  }
}

/** Waits until each segment's newest recompute was delivered, at most two minutes. */
async function allDelivered(): Promise<ConnectorView[]> {
  const giveUpAt = Date.now() + 120_000;
  const views: ConnectorView[] = [];
  for (const segment of segments) views.push(await delivered(segment, giveUpAt));
  return views;
}

async function delivered(segment: number, giveUpAt: number): Promise<ConnectorView> {
  for (;;) {
    const view = await describe(segment);
    if (view?.last_run?.computed_at === newest.get(segment) && view?.current_run === null) return view;
    if (Date.now() > giveUpAt)
      throw new Error(`segment ${segment}: ${newest.get(segment)} was not delivered`);
    await delay(200);
  }
}

/** Undefined where the worker is too busy to tell in time. */
async function describe(segment: number): Promise<ConnectorView | undefined> {
  try {
    return await stack.connectors.describe({ tenant_slug: tenant, segment_id: segment });
  } catch (error) {
    if (error instanceof Error && "status" in error && error.status === 503) return undefined;
    throw error;
  }
}

async function runNumbers(): Promise<number[]> {
  const numbers: number[] = [];
  for (const segment of segments) {
    let view = await describe(segment);
    while (!view) view = await describe(segment);
    numbers.push(view.current_run?.number ?? view.last_run?.number ?? 0);
  }
  return numbers;
}

/** Of the connector's present history, which is its first unless it continued as new meanwhile. */
async function signalCount(segment: number): Promise<number> {
  const { events } = await stack.client.workflow.getHandle(`braze/${tenant}/${segment}`).fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length;
}

/** What a process's main thread has had of the cores, and how long it was ready and had to wait for one, as Linux counts it. */
async function coreSeconds(pid: number): Promise<{ had: number; waited: number }> {
  const [had = 0, waited = 0] = (await readFile(`/proc/${pid}/schedstat`, "utf8")).split(" ").map(Number);
  return { had: had / 1e9, waited: waited / 1e9 };
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function print(what: string, figures: Record<string, number>): void {
  const words = Object.entries(figures).map(([name, value]) => `${name} ${Number(value.toFixed(2))}`);
  console.log(`${what}: ${words.join(", ")}`);
}
