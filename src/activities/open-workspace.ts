import { openKey } from "../braze/sealed-key.ts";
import type { Workspace } from "../braze/workspace.ts";
import type { ConnectorConfig } from "../contracts/connector-config.ts";
import { connectorWorkflowId, type ConnectorKey } from "../contracts/connector-id.ts";
import type { ActivityDeps } from "./deps.ts";

/** The connector's Braze workspace, opened by the key that its configuration holds sealed. Error: sealed_key_unreadable. */
export async function openWorkspace(
  deps: Pick<ActivityDeps, "braze" | "sealingKeys">,
  key: ConnectorKey,
  config: ConnectorConfig,
): Promise<Workspace> {
  const sealedFor = { connector: connectorWorkflowId(key), host: new URL(config.rest_endpoint).host };
  const apiKey = await openKey(config.api_key, sealedFor, deps.sealingKeys);
  return deps.braze.workspace({
    endpoint: config.rest_endpoint,
    apiKey,
    requestsPerSecond: config.requests_per_second,
  });
}
