import {
  ParentClosePolicy,
  startChild,
  WorkflowIdReusePolicy,
  type ChildWorkflowHandle,
} from "@temporalio/workflow";
import type { SyncRunInput } from "../contracts/run.ts";
import { searchAttributes } from "../contracts/temporal-names.ts";
import { syncRun } from "./sync-run.ts";

interface StartOptions {
  workflowId: string;
  /** What the Temporal UI calls the run's row. */
  summary: string;
  /** The run goes on where the connector's history ends: continue-as-new closes the parent too. */
  outlives: boolean;
}

/** Begins a run as a child workflow. Answers when it has started, so that continue-as-new cannot lose it. */
export async function startRun(
  input: SyncRunInput,
  { workflowId, summary, outlives }: StartOptions,
): Promise<ChildWorkflowHandle<typeof syncRun>> {
  return await startChild(syncRun, {
    workflowId,
    args: [input],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    parentClosePolicy: outlives ? ParentClosePolicy.ABANDON : ParentClosePolicy.TERMINATE,
    staticSummary: summary.slice(0, 200),
    typedSearchAttributes: [
      { key: searchAttributes.tenant, value: input.key.tenant_slug },
      { key: searchAttributes.segment, value: String(input.key.segment_id) },
    ],
  });
}
