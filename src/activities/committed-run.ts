import type { Commit, RunOutcome } from "../contracts/log.ts";
import type { CommittedRun } from "../contracts/run.ts";

/** A commit as the connector keeps it: counts and references to nothing. */
export function committedRun(commit: Commit, outcome: RunOutcome = commit.outcome): CommittedRun {
  const { pending_removal: pending, verification } = commit;
  const retries = commit.channels.map((channel) => channel.retry_at).filter((at) => at !== null);
  return {
    summary: {
      number: commit.number,
      workflow_id: commit.workflow_id,
      outcome,
      reason: commit.reason,
      ...commit.counts,
      computed_at: commit.recompute?.computed_at ?? null,
      member_count: commit.recompute?.member_count ?? null,
      segment_name: commit.recompute?.segment_name ?? null,
      started_at: commit.started_at,
      finished_at: commit.at,
      error: commit.error,
      ...(verification ? { verification } : {}),
    },
    channels: commit.channels.map(({ channel, counts }) => ({ channel, ...counts })),
    retryAt: retries.toSorted()[0] ?? null,
    pendingRemoval: pending ? { digest: pending.digest, users: pending.users } : null,
  };
}
