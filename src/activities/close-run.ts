import { errorMessage } from "../contracts/errors.ts";
import { connectorFolder, type Commit, type Plan } from "../contracts/log.ts";
import type { CloseRunInput, CommittedRun, RunScope } from "../contracts/run.ts";
import type { ConnectorLog } from "../ledger/log.ts";
import { verifiedThrough } from "../ledger/settled-writes.ts";
import { endpointOf } from "./commit-ledger.ts";
import { commitClock } from "./commit-time.ts";
import { committedRun } from "./committed-run.ts";
import type { ActivityDeps } from "./deps.ts";
import { withHeartbeat } from "./heartbeat.ts";

/**
 * The plan to close. Where there is none yet, an empty one of the closer's own takes its name, so that whoever still works on
 * the run cannot write one, find it open and send while this commit carries the old ledger over.
 */
async function fencedPlan(log: ConnectorLog, scope: RunScope, at: string): Promise<Plan | undefined> {
  const written = await log.plan(scope.number);
  if (written) return written;
  const config = await log.latestConfig();
  if (!config) return undefined;
  const { workflowId: workflow_id, runId: run_id, number } = scope;
  const head = { version: 1, kind: "plan", number, workflow_id, run_id, at } as const;
  const nothing = { recompute: null, snapshot: null, channels: [] };
  await log.putPlan({ ...head, config_number: config.number, ...nothing });
  return await log.plan(number);
}

/**
 * Promise: a run that died unreported claims nothing. Its commit says that all it had planned is unknown; whoever still
 * works on it sees that commit and stops.
 * Attempt 2, like a run that closed itself meanwhile, finds a commit and answers from it.
 * Errors: ledger_missing, log_unreadable, storage_unavailable.
 */
export function createCloseRun({ ledger, heavy }: ActivityDeps) {
  return async ({ scope, at }: CloseRunInput): Promise<CommittedRun> => {
    const now = commitClock(at);
    const log = ledger.log(scope.key);
    const existing = await log.commit(scope.number);
    if (existing) return committedRun(existing);
    const plan = await fencedPlan(log, scope, at);
    const hadPlanned = plan !== undefined && plan.channels.length > 0;
    const previous = await log.commitBefore(scope.number);
    const folder = connectorFolder(scope.key);
    const abandon = async () => {
      if (!hadPlanned) return previous?.channels ?? [];
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
      at: now(),
      outcome: "partial",
      reason: "abandoned",
      config_number: plan?.config_number ?? null,
      recompute: plan?.recompute ?? null,
      dropped: null,
      channels,
      pending_removal: (hadPlanned ? plan : previous)?.pending_removal ?? null,
      sent: hadPlanned,
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
      // Whatever it verified, it did not say.
      verified_through: verifiedThrough(previous),
      synced: previous?.synced ?? null,
      error: { code: "run_abandoned", message: errorMessage("run_abandoned") },
    };
    return committedRun((await log.putCommit(commit)).commit);
  };
}
