// The figures of docs/reliability.md on kill -9: a million users are loaded while the workers that send them are killed twenty times at
// random moments. Loopback only, bounded by what it loads. KILLS, KILLS_USERS and KILLS_PER_SECOND change its size.
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runWorkflowId } from "../src/contracts/connector-id.ts";
import type { RunSummary } from "../src/contracts/run.ts";
import type * as sandbox from "../sandbox/stack.ts";
import type { Process } from "../sandbox/process.ts";
import { tenant } from "../sandbox/stack-environment.ts";

const kills = Number(process.env["KILLS"] ?? 20);
const users = Number(process.env["KILLS_USERS"] ?? 1_000_000);
/** The connector's pace, so that the load lasts longer than the kills. */
const requestsPerSecond = Number(process.env["KILLS_PER_SECOND"] ?? 100);
/** Between a worker's start of sending and its end. */
const livesMs = { atLeast: 3_000, atMost: 9_000 };
const workerCount = 2;
const brazeKey = "kills-key";
const key = { tenant_slug: tenant, segment_id: 7 };
const attribute = "segops_segment_7";
const requests = Math.ceil(users / 75);

// The compiled code, as a worker runs it; `npm ci` has built it.
const dist = new URL("../dist/sandbox/stack.js", import.meta.url).href;
const { startStack } = (await import(dist)) as typeof sandbox;

const dir = await mkdtemp(join(tmpdir(), "segops-braze-kills-"));
const stack = await startStack({ dir, env: { DELIVER_WORKERS: String(workerCount) } });
const workers: Process[] = [];
let wrong = true;
try {
  await stack.setup();
  for (let index = 0; index < workerCount; index++) workers.push(await stack.startWorker());
  await stack.braze.putWorkspace({ key: brazeKey, headerMode: "off", applyDelayMs: 0 });
  const generate = { count: users, prefix: "user-" };
  await stack.segops.putSegment(tenant, key.segment_id, { name: "Kills", generate });
  await stack.segops.recompute(tenant, key.segment_id, { webhook: false });
  const settings = {
    rest_endpoint: stack.brazeUrl,
    api_key: brazeKey,
    requests_per_second: requestsPerSecond,
  };
  await stack.connectors.create(key, settings, { activate: true });

  const measured = new AbortController();
  const busiest = busiestSecond(measured.signal);
  const atKills = await killWhileSending();
  const run = await firstRun();
  measured.abort();
  await stack.braze.settle(brazeKey);
  const { duplicates } = await stack.braze.stats(brazeKey);
  const seconds = (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000;
  const view = await stack.connectors.describe(key);
  const differ = await differing();
  const sent = await requestsSoFar();
  console.log(`${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.version}`);
  console.log(`load of ${users} users at ${requestsPerSecond} requests/s: ${Math.round(seconds)} s`);
  console.log(`kill -9: ${atKills.length}, at requests ${atKills.join(", ")}`);
  console.log(`users in whom Braze and SegOps differ: ${differ}`);
  console.log(`ledger: ${JSON.stringify(view.channels)}, outcome ${run.outcome}`);
  console.log(`requests: ${sent}, needed ${requests}, sent again in the same bytes ${duplicates}`);
  console.log(`as the run counts them: ${run.requests}, sent again ${run.resent}`);
  const perKill = duplicates / atKills.length;
  console.log(
    `sent again per kill: ${perKill.toFixed(1)} requests; busiest second: ${await busiest} requests`,
  );
  const delivered = view.channels[0]?.delivered;
  wrong = differ > 0 || delivered !== users || sent - duplicates !== requests || atKills.length < kills;
} finally {
  await stack.stop();
  await rm(dir, { recursive: true, force: true });
}
if (wrong) {
  console.error("Something was lost, or a worker was not killed while it was sending.");
  process.exitCode = 1;
}

/** Kills one worker after the other, each only while it is sending. Answers how many requests there had been at each kill. */
async function killWhileSending(): Promise<number[]> {
  const at: number[] = [];
  for (let index = 0; at.length < kills; index = (index + 1) % workerCount) {
    const worker = workers[index];
    if (!worker || !(await untilSending(worker))) break;
    await delay(livesMs.atLeast + Math.random() * (livesMs.atMost - livesMs.atLeast));
    if (!(await hasParts(worker))) continue;
    await worker.kill();
    at.push(await requestsSoFar());
    workers[index] = await stack.startWorker();
  }
  return at;
}

/** False: the load was over first. */
async function untilSending(worker: Process): Promise<boolean> {
  while ((await requestsSoFar()) < requests) {
    if (await hasParts(worker)) return true;
    await delay(200);
  }
  return false;
}

/** Whether parts are under way on this worker, as Temporal knows it. */
async function hasParts({ pid }: Process): Promise<boolean> {
  const run = stack.client.workflow.getHandle(runWorkflowId(key, 1));
  const described = await run.describe().catch(() => undefined);
  const activities = described?.raw.pendingActivities ?? [];
  return activities.some(
    ({ activityType, lastWorkerIdentity }) =>
      activityType?.name === "trackEntered" && lastWorkerIdentity?.startsWith(`${pid}@`),
  );
}

async function firstRun(): Promise<RunSummary> {
  for (;;) {
    const { last_run: run, last_error } = await stack.connectors.describe(key).catch(noAnswer);
    if (run) return run;
    if (last_error) throw new Error(last_error);
    await delay(1_000);
  }
}

/** A worker that was killed had the question; the next one has not. */
function noAnswer(): { last_run: null; last_error: "" } {
  return { last_run: null, last_error: "" };
}

async function requestsSoFar(): Promise<number> {
  const byStatus = (await stack.braze.stats(brazeKey)).requests["/users/track"] ?? {};
  return Object.values(byStatus).reduce((sum, count) => sum + count, 0);
}

/** The most requests that Braze saw in one second. */
async function busiestSecond(signal: AbortSignal): Promise<number> {
  let most = 0;
  let before = { count: 0, at: performance.now() };
  while (!signal.aborted) {
    await delay(1_000);
    const now = { count: await requestsSoFar(), at: performance.now() };
    most = Math.max(most, ((now.count - before.count) * 1000) / (now.at - before.at));
    before = now;
  }
  return Math.round(most);
}

async function differing(): Promise<number> {
  const braze = new Set<string>();
  for await (const user of stack.braze.members(brazeKey, { attribute })) braze.add(user);
  let missing = 0;
  for (let index = 0; index < users; index++) if (!braze.delete(`user-${index}`)) missing++;
  return missing + braze.size;
}
