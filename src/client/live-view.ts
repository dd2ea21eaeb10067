import type { Client } from "@temporalio/client";
import { connectorWorkflowId, type ConnectorKey } from "../contracts/connector-id.ts";
import { describeQuery } from "../contracts/connector-messages.ts";
import { CodedError } from "../contracts/errors.ts";
import type { ConnectorView } from "../contracts/view.ts";
import { askTemporal, askWorker } from "./ask.ts";
import { ClientError } from "./client-error.ts";
import { isConfigured, withProgress } from "./look-at-connector.ts";

/**
 * What the connector's open workflow says of itself, with its run's progress. `closed` where none is open, or it has not read its log:
 * then the log says all. `silent` where nobody answered within `timeoutMs`.
 */
export async function liveView(
  client: Client,
  key: ConnectorKey,
  timeoutMs: number,
): Promise<ConnectorView | "closed" | "silent"> {
  const handle = client.workflow.getHandle(connectorWorkflowId(key));
  try {
    const execution = await askTemporal(client, timeoutMs, () => handle.describe());
    if (execution.status.name !== "RUNNING") return "closed";
    const view = await askWorker(client, timeoutMs, () => handle.query(describeQuery));
    if (!isConfigured(view)) return "closed";
    return await withProgress(client, view);
  } catch (error) {
    if (error instanceof CodedError && error.code === "connector_not_found") return "closed";
    if (error instanceof ClientError) return "silent";
    throw error;
  }
}
