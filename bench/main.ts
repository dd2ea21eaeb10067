// The figures of docs/benchmarks.md: a load of a million users, a small delta and a no-op through the compiled worker, next to
// a bare loop that sends the same requests to the same stand-in in the same run. Loopback only, bounded by what it loads.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { Pool } from "undici";
import type { RunSummary } from "../src/contracts/run.ts";
import type * as sandbox from "../sandbox/stack.ts";
import type { Stack } from "../sandbox/stack.ts";
import { tenant } from "../sandbox/stack-environment.ts";
import { bareLoop } from "./bare-loop.ts";

const users = Number(process.env["BENCH_USERS"] ?? 1_000_000);
const brazeKey = "bench-key";

// The compiled code, as a worker runs it; `npm ci` has built it.
const dist = new URL("../dist/sandbox/stack.js", import.meta.url).href;
const { startStack } = (await import(dist)) as typeof sandbox;
const key = { tenant_slug: tenant, segment_id: 7 };

const dir = await mkdtemp(join(tmpdir(), "segops-braze-bench-"));
const stack = await startStack({ dir });
try {
  await stack.setup();
  const worker = await stack.startWorker();
  await stack.braze.putWorkspace({ key: brazeKey, headerMode: "off", applyDelayMs: 0 });
  await stack.segops.putSegment(tenant, key.segment_id, {
    name: "Bench",
    generate: { count: users, prefix: "user-" },
  });
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
  );

  const bareSeconds = await withPool(stack.brazeUrl, (pool) =>
    bareLoop(pool, "bare-key", users, stack.braze),
  );
  print("bare undici loop, 64 in flight", { seconds: bareSeconds, users });

  const settings = { rest_endpoint: stack.brazeUrl, api_key: brazeKey, requests_per_second: 10_000 };
  await stack.connectors.create(key, settings, { activate: true });
  const load = await runAfter(stack, async () => undefined);
  print("first load", {
    seconds: secondsOf(load),
    ...pick(load),
    ratioToBareLoop: secondsOf(load) / bareSeconds,
    workerPeakMiB: await peakMiB(worker.pid),
  });

  const delta = await runAfter(stack, () =>
    stack.segops.change(tenant, 7, { exitFirst: 50, enterGenerate: { count: 50, prefix: "new-" } }),
  );
  print("delta of 100", { seconds: secondsOf(delta), ...pick(delta) });

  const nothing = await runAfter(stack, async () => undefined);
  print("no-op", { seconds: secondsOf(nothing), ...pick(nothing) });

  await stack.braze.settle(brazeKey);
  print("Braze against the ledger", {
    members: await countMembers(stack),
    ledger: (await stack.connectors.describe(key)).channels[0]?.delivered ?? -1,
  });
  print("worker", { peakMiB: await peakMiB(worker.pid) });
} finally {
  await stack.stop();
  await rm(dir, { recursive: true, force: true });
}

/** Changes the segment, recomputes it, signals, and waits for the run that delivers it. */
async function runAfter(on: Stack, change: () => Promise<void>): Promise<RunSummary> {
  await change();
  const { computed_at } = await on.segops.recompute(tenant, key.segment_id, { webhook: false });
  await on.connectors.recompute(JSON.parse(await on.segops.webhookBody(tenant, key.segment_id)));
  for (;;) {
    const { last_run: run, last_error } = await on.connectors.describe(key);
    if (run?.computed_at === computed_at) return run;
    if (last_error) throw new Error(last_error);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function withPool<T>(origin: string, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = new Pool(origin, { connections: 64, pipelining: 1 });
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
}

async function countMembers(on: Stack): Promise<number> {
  let count = 0;
  for await (const _user of on.braze.members(brazeKey, { attribute: "segops_segment_7" })) count++;
  return count;
}

function secondsOf(run: RunSummary): number {
  return (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000;
}

function pick({ outcome, entered, exited, requests, resent }: RunSummary) {
  return { outcome, entered, exited, requests, resent };
}

/** The most memory that the process ever held, as Linux counts it. */
async function peakMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024);
}

function print(what: string, figures: Record<string, string | number>): void {
  const words = Object.entries(figures).map(
    ([name, value]) => `${name} ${typeof value === "number" ? Number(value.toFixed(2)) : value}`,
  );
  console.log(`${what}: ${words.join(", ")}`);
}
