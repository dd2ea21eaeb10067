import { setTimeout as delay } from "node:timers/promises";
import { ClientError } from "../../src/client.ts";
import { tenant } from "../stack-environment.ts";
import type { Stack } from "../stack.ts";

const segment = 7;
const members = 2000;
const patienceMs = 30_000;

/** Something to look at in an empty folder: a segment, a connector for it unless there is one, and its first load. */
export async function seed(stack: Stack): Promise<void> {
  const key = { tenant_slug: tenant, segment_id: segment };
  const apiKey = "braze-key-of-dev";
  await stack.braze.putWorkspace({ key: apiKey });
  await stack.segops.putSegment(tenant, segment, {
    name: "High LTV Buyers",
    generate: { count: members, prefix: "user-" },
  });
  const settings = { rest_endpoint: stack.brazeUrl, api_key: apiKey };
  await stack.connectors.create(key, settings).catch((error: unknown) => {
    if (!(error instanceof ClientError) || error.code !== "connector_exists") throw error;
  });
  await stack.connectors.activate(key);
  await stack.segops.recompute(tenant, segment);
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline && !(await stack.connectors.describe(key)).last_run) await delay(200);
}
