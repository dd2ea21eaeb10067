import type { Client, WorkflowExecutionInfo } from "@temporalio/client";
import { z } from "zod";
import { parseConnectorWorkflowId, tenantSlugSchema } from "../contracts/connector-id.ts";
import { searchAttributes, workflowTypes } from "../contracts/temporal-names.ts";
import { connectorStatuses, type ConnectorStatus } from "../contracts/view.ts";
import { parsedName } from "./connector-name.ts";

/** One open connector as Temporal's visibility knows it: read without any worker, and a second or so behind. */
export interface ListedConnector {
  tenant_slug: string;
  segment: number;
  workflow_id: string;
  /** Null until its workflow has read its log. */
  status: ConnectorStatus | null;
  /** Outcome of its last run; null before the first. */
  last_outcome: string | null;
  /** ISO 8601; null before the first sync. */
  last_synced_at: string | null;
  /** Users that Braze rejected, over all channels. */
  rejected: number;
}

export interface ListFilter {
  tenant?: string;
  status?: ConnectorStatus;
}

const filterSchema = z.object({
  tenant: tenantSlugSchema.optional(),
  status: z.enum(connectorStatuses, { error: "must be inactive, active or error" }).optional(),
});

/** By name: SQL visibility cannot order, so it is done here. */
export async function listConnectors(client: Client, filter: ListFilter): Promise<ListedConnector[]> {
  const { tenant, status } = parsedName(filterSchema, filter);
  const conditions = [
    `WorkflowType = '${workflowTypes.connector}'`,
    "ExecutionStatus = 'Running'",
    ...(tenant ? [`${searchAttributes.tenant.name} = '${tenant}'`] : []),
    ...(status ? [`${searchAttributes.status.name} = '${status}'`] : []),
  ];
  const found: ListedConnector[] = [];
  for await (const execution of client.workflow.list({ query: conditions.join(" AND ") })) {
    const listed = listedConnector(execution);
    if (listed) found.push(listed);
  }
  return found.sort(byName);
}

function listedConnector({ workflowId, typedSearchAttributes }: WorkflowExecutionInfo) {
  const key = parseConnectorWorkflowId(workflowId);
  if (!key) return undefined;
  return {
    tenant_slug: key.tenant_slug,
    segment: key.segment_id,
    workflow_id: workflowId,
    status: (typedSearchAttributes.get(searchAttributes.status) as ConnectorStatus | undefined) ?? null,
    last_outcome: typedSearchAttributes.get(searchAttributes.outcome) ?? null,
    last_synced_at: typedSearchAttributes.get(searchAttributes.lastSyncedAt)?.toISOString() ?? null,
    rejected: typedSearchAttributes.get(searchAttributes.rejectedCount) ?? 0,
  };
}

function byName(a: ListedConnector, b: ListedConnector): number {
  return a.tenant_slug < b.tenant_slug ? -1 : a.tenant_slug > b.tenant_slug ? 1 : a.segment - b.segment;
}
