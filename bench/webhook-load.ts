// The load of `npm run bench:webhooks`, in a process of its own, so that waiting for a turn there is not measured as the gateway's.
// Open loop: a request goes out when its time has come, whatever became of those before, and is timed from then on.
import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "undici";

/** What the parent says: first how to load, then each segment's webhook body as it is recomputed. */
export type LoadMessage =
  | { url: string; secret: string; segments: number; perSecond: number; seconds: number }
  | { segment: number; body: string };

export interface Latencies {
  count: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** How late the load itself was with one in a hundred, which is part of `p99Ms`. */
  lateP99Ms: number;
}

export interface LoadResult {
  /** Answers to webhooks by status; 0 stands for none at all. */
  statuses: Record<string, number>;
  webhooks: Latencies;
  healthz: Latencies;
}

const healthPerSecond = 50;
/** One webhook in five is an older one once more: replayed, and out of order. */
const replayEvery = 5;

const bodies = new Map<number, string[]>();
process.on("message", (message: LoadMessage) => {
  if ("body" in message) bodies.set(message.segment, [...(bodies.get(message.segment) ?? []), message.body]);
  else void load(message);
});

async function load(how: Extract<LoadMessage, { url: string }>): Promise<void> {
  while (bodies.size < how.segments) await delay(10);
  const pool = new Pool(how.url, { connections: 128, pipelining: 1 });
  const segments = [...bodies.keys()];
  const statuses: Record<string, number> = {};
  const [webhooks, healthz] = await Promise.all([
    onSchedule(how.perSecond, how.seconds, async (index) => {
      const known = bodies.get(segments[index % segments.length] ?? 0) ?? [];
      const turn = Math.floor(index / segments.length);
      const body = (turn % replayEvery === 0 ? known.at(-2) : undefined) ?? known.at(-1) ?? "";
      const status = await post(pool, how.secret, body);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }),
    onSchedule(healthPerSecond, how.seconds, async () => {
      await (await pool.request({ method: "GET", path: "/healthz" })).body.dump();
    }),
  ]);
  await pool.close();
  const result: LoadResult = { statuses, webhooks, healthz };
  process.send?.(result, () => process.disconnect());
}

async function post(pool: Pool, secret: string, body: string): Promise<number> {
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  const headers = { "content-type": "application/json", "x-segops-signature": `sha256=${signature}` };
  try {
    const answer = await pool.request({ method: "POST", path: "/api/webhooks/segops/", headers, body });
    await answer.body.dump();
    return answer.statusCode;
  } catch {
    return 0;
  }
}

async function onSchedule(
  perSecond: number,
  seconds: number,
  ask: (index: number) => Promise<void>,
): Promise<Latencies> {
  const latencies: number[] = [];
  const late: number[] = [];
  const asked: Promise<void>[] = [];
  const start = performance.now();
  for (let index = 0; index < perSecond * seconds; index++) {
    const due = start + (index * 1000) / perSecond;
    const early = due - performance.now();
    if (early > 0) await delay(early);
    late.push(performance.now() - due);
    asked.push(ask(index).then(() => void latencies.push(performance.now() - due)));
  }
  await Promise.all(asked);
  return {
    count: latencies.length,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    maxMs: quantile(latencies, 1),
    lateP99Ms: quantile(late, 0.99),
  };
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}
