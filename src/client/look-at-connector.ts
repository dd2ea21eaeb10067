import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import { connectorWorkflowId, type ConnectorKey } from "../contracts/connector-id.ts";
import { describeQuery, progressQuery } from "../contracts/connector-messages.ts";
import { CodedError } from "../contracts/errors.ts";
import type { ConnectorView } from "../contracts/view.ts";
import { askWorker } from "./ask.ts";
import { ClientError } from "./client-error.ts";

/** How often a connector that is still reading its log is asked again. */
const settlePollMs = 50;

/** A run's own answer is a nicety: it may not hold up the rest. */
const progressTimeoutMs = 2000;

/**
 * The view of a connector that has read its log. Errors: `connector_not_found` (never created, or removed); `worker_silent` where nobody
 * answers, or nobody reads the log, within `timeoutMs`.
 */
export async function lookAtConnector(
  client: Client,
  key: ConnectorKey,
  timeoutMs: number,
): Promise<ConnectorView> {
  const handle = client.workflow.getHandle(connectorWorkflowId(key));
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    // In this order: one that read of its removal as it answered has ended by the time its status is asked for.
    const view = await askWorker(client, timeoutMs, () => handle.query(describeQuery));
    const execution = await askWorker(client, timeoutMs, () => handle.describe());
    // It completes only when the connector was removed or had never been created.
    if (execution.status.name === "COMPLETED") throw new CodedError("connector_not_found");
    if (hasReadItsLog(view)) return view;
    if (Date.now() >= deadline) {
      throw new ClientError("worker_silent", `its log was not read within ${timeoutMs / 1000} s`);
    }
    await delay(settlePollMs);
  }
}

/** Until then a view has no configuration, and the error says why if the log cannot be read. */
function hasReadItsLog(view: ConnectorView): boolean {
  return isConfigured(view) || view.last_error_code !== "";
}

export function isConfigured(view: ConnectorView): boolean {
  return (view.config as Partial<ConnectorView["config"]>).rest_endpoint !== undefined;
}

/** Lays the current run's own progress into the view. A run that has just ended, or whose worker is away, shows none. */
export async function withProgress(client: Client, view: ConnectorView): Promise<ConnectorView> {
  const run = view.current_run;
  if (!run) return view;
  try {
    const handle = client.workflow.getHandle(run.workflow_id);
    const progress = await askWorker(client, progressTimeoutMs, () => handle.query(progressQuery));
    return { ...view, current_run: { ...run, progress } };
  } catch (error) {
    if (error instanceof ClientError || error instanceof CodedError) return view;
    throw error;
  }
}
