import { connectorWorkflowId, type ConnectorKey } from "../contracts/connector-id.ts";
import type { ConnectorInput } from "../contracts/connector-messages.ts";
import { searchAttributes, taskQueues } from "../contracts/temporal-names.ts";

/** The connector workflow as a caller sees it, without importing its code. */
export type ConnectorWorkflow = (input: ConnectorInput) => Promise<string>;

/** What Temporal shows of a row's summary, in bytes of UTF-8. */
const summaryBytes = 200;

/** A connector starts from its key alone; an open one is used as it is. */
export function startOptions(key: ConnectorKey, segmentName = "") {
  const { tenant_slug, segment_id } = key;
  return {
    workflowId: connectorWorkflowId(key),
    taskQueue: taskQueues.workflows,
    args: [{ tenant_slug, segment_id }] as [ConnectorInput],
    workflowIdConflictPolicy: "USE_EXISTING" as const,
    staticSummary: cutToBytes(
      `${segmentName || `Segment ${segment_id}`} of ${tenant_slug} → Braze`,
      summaryBytes,
    ),
    typedSearchAttributes: [
      { key: searchAttributes.tenant, value: tenant_slug },
      { key: searchAttributes.segment, value: String(segment_id) },
    ],
  };
}

function cutToBytes(text: string, limit: number): string {
  let used = 0;
  let kept = "";
  for (const character of text) {
    used += Buffer.byteLength(character);
    if (used > limit) return kept;
    kept += character;
  }
  return kept;
}
