import { errorMessage } from "../contracts/errors.ts";
import { connectorFolder, type Commit } from "../contracts/log.ts";
import type { CloseRunInput, CommittedRun } from "../contracts/run.ts";
import { endpointOf } from "./commit-ledger.ts";
import { committedRun } from "./committed-run.ts";
import type { ActivityDeps } from "./deps.ts";
import { withHeartbeat } from "./heartbeat.ts";

/**
 * Promise: a run that died unreported claims nothing. Its commit says that all it had planned is unknown; whoever still
 * works on it sees that commit and stops.
 * Attempt 2, like a run that closed itself meanwhile, finds a commit and answers from it.
 * Errors: ledger_missing, log_unreadable, storage_unavailable.
 */
export function createCloseRun({ ledger, heavy }: ActivityDeps) {
  return async ({ scope, at }: CloseRunInput): Promise<CommittedRun> => {
    const log = ledger.log(scope.key);
    const existing = await log.commit(scope.number);
    if (existing) return committedRun(existing);
    const plan = await log.plan(scope.number);
    const previous = await log.commitBefore(scope.number);
    const folder = connectorFolder(scope.key);
    const abandon = async () => {
      if (!plan) return previous?.channels ?? [];
      const restEndpoint = await endpointOf(log, plan);
      return await ledger.abandonRun({ folder, number: scope.number, plan, restEndpoint, at });
    };
    const channels = await withHeartbeat(() => heavy(abandon));
    const commit: Commit = {
      version: 1,
      kind: "commit",
      number: scope.number,
      workflow_id: scope.workflowId,
      run_id: scope.runId,
      at,
      outcome: "partial",
      reason: "abandoned",
      config_number: plan?.config_number ?? null,
      recompute: plan?.recompute ?? null,
      dropped: null,
      channels,
      pending_removal: (plan ?? previous)?.pending_removal ?? null,
      sent: plan !== undefined,
      counts: {
        entered: 0,
        exited: 0,
        rejected: 0,
        unknown: channels.reduce((total, channel) => total + channel.counts.unknown, 0),
        waiting: channels.reduce((total, channel) => total + channel.counts.waiting, 0),
        requests: 0,
        resent: 0,
      },
      started_at: plan?.at ?? at,
      synced: previous?.synced ?? null,
      error: { code: "run_abandoned", message: errorMessage("run_abandoned") },
    };
    return committedRun((await log.putCommit(commit)).commit);
  };
}
