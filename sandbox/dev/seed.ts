import { setTimeout as delay } from "node:timers/promises";
import { ClientError, CodedError } from "../../src/client.ts";
import { tenant } from "../stack-environment.ts";
import type { Stack } from "../stack.ts";

const segment = 7;
const members = 2000;
/** A worker that was killed at a task keeps it for 10 s, and the machine may be busy. */
const patienceMs = 60_000;

/** Something to look at in an empty folder: a segment, a connector for it unless there is one, and its first load. */
export async function seed({ braze, brazeUrl, segops, connectors }: Stack): Promise<void> {
  const key = { tenant_slug: tenant, segment_id: segment };
  const apiKey = "braze-key-of-dev";
  const giveUpAt = Date.now() + patienceMs;
  await braze.putWorkspace({ key: apiKey });
  await segops.putSegment(tenant, segment, {
    name: "High LTV Buyers",
    generate: { count: members, prefix: "user-" },
  });
  const settings = { rest_endpoint: brazeUrl, api_key: apiKey };
  await patiently(giveUpAt, () => connectors.create(key, settings)).catch((error: unknown) => {
    if (!(error instanceof CodedError) || error.code !== "connector_exists") throw error;
  });
  await patiently(giveUpAt, () => connectors.activate(key));
  await segops.recompute(tenant, segment);
  while (Date.now() < giveUpAt && !(await connectors.describe(key)).last_run) await delay(200);
}

async function patiently<Answer>(giveUpAt: number, ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isWorkerSilent(error) || Date.now() >= giveUpAt) throw error;
    }
  }
}

function isWorkerSilent(error: unknown): boolean {
  return error instanceof ClientError && error.code === "worker_silent";
}
