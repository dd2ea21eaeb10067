import { CodedError, errorTable, isErrorCode } from "../contracts/errors.ts";
import {
  connectorFolder,
  type Commit,
  type LedgerRef,
  type PendingRemoval,
  type Plan,
  type RunCounts,
  type RunError,
  type RunOutcome,
} from "../contracts/log.ts";
import type { CommitLedgerInput, CommittedRun, PartOutcome } from "../contracts/run.ts";
import { verifiedThrough } from "../ledger/settled-writes.ts";
import { commitClock } from "./commit-time.ts";
import { committedRun } from "./committed-run.ts";
import type { ActivityDeps } from "./deps.ts";
import { withHeartbeat } from "./heartbeat.ts";

/**
 * Promise: the ledger claims what Braze acknowledged and nothing else, and the run is closed in the log once.
 * In: how far each part came. Out: the run as the connector keeps it. Heartbeat: no details. Attempt 2 finds its own
 * commit and answers from it; a commit by another run makes this one `superseded`.
 * Errors: ledger_missing, log_unreadable, storage_unavailable.
 */
export function createCommitLedger({ ledger, heavy }: ActivityDeps) {
  return async (input: CommitLedgerInput): Promise<CommittedRun> => {
    const { scope, at } = input;
    const now = commitClock(at);
    const log = ledger.log(scope.key);
    const plan = await log.plan(scope.number);
    if (plan && !isMine(plan, scope)) return superseded(input);
    const previous = await log.commitBefore(scope.number);
    const folder = connectorFolder(scope.key);
    const settle = async () => {
      if (!plan || !isTouched(plan, input)) return previous?.channels ?? [];
      const restEndpoint = await endpointOf(log, plan);
      return await ledger.settleLedger({
        folder,
        number: scope.number,
        plan,
        restEndpoint,
        parts: input.parts,
        at,
      });
    };
    const channels = await withHeartbeat(() => heavy(settle));
    const settled = plan !== undefined && isTouched(plan, input);
    const pending = settled ? plan.pending_removal : previous?.pending_removal;
    const commit = newCommit({ ...input, at: now() }, plan, channels, pending ?? null, previous);
    const { by, commit: kept } = await log.putCommit(commit);
    return committedRun(kept, by === "mine" ? kept.outcome : "superseded");
  };
}

/**
 * A run that sent nothing leaves the ledger as it was, unless its plan only moved the ledger to another snapshot, or is all that
 * knows of users whom Braze shows wrong.
 */
function isTouched(plan: Plan, { parts, verified }: CommitLedgerInput): boolean {
  const users = plan.channels
    .flatMap((channel) => channel.deltas)
    .reduce((sum, delta) => sum + delta.users, 0);
  return users === 0 || hasSent(parts) || (verified?.wrong ?? 0) > 0;
}

function hasSent(parts: PartOutcome[]): boolean {
  return parts.some((part) => !part.reported || part.progress.attempted > 0);
}

function isMine(plan: Plan, scope: CommitLedgerInput["scope"]): boolean {
  return plan.workflow_id === scope.workflowId && plan.run_id === scope.runId;
}

/** The endpoint that the plan's configuration names: a ledger belongs to the workspace it was written to. */
export async function endpointOf(
  log: { config(number: number): Promise<{ config: { rest_endpoint: string } } | undefined> },
  plan: Plan,
): Promise<string> {
  const entry = await log.config(plan.config_number);
  if (!entry) throw new CodedError("log_unreadable", `config ${plan.config_number}`);
  return entry.config.rest_endpoint;
}

function newCommit(
  input: CommitLedgerInput,
  plan: Plan | undefined,
  channels: LedgerRef[],
  pending: PendingRemoval | null,
  previous: Commit | undefined,
): Commit {
  const { scope, at, startedAt, reason, membership, error } = input;
  const recompute = membership && {
    computed_at: membership.computedAt,
    member_count: membership.memberCount,
    segment_name: membership.segmentName,
  };
  const outcome = outcomeOf(error, plan, pending);
  const synced =
    recompute && ["clean", "no_change", "held"].includes(outcome)
      ? { at, computed_at: recompute.computed_at }
      : (previous?.synced ?? null);
  return {
    version: 1,
    kind: "commit",
    number: scope.number,
    workflow_id: scope.workflowId,
    run_id: scope.runId,
    at,
    outcome,
    reason,
    config_number: input.configNumber,
    recompute,
    dropped: membership?.dropped ?? null,
    channels,
    pending_removal: pending,
    sent: hasSent(input.parts),
    counts: countsOf(input.parts, channels),
    ...verificationOf(input, previous),
    started_at: startedAt,
    synced,
    error,
  };
}

/** Whom a run found wrong is known once its plan says so: before that, the same is to be looked at again. */
function verificationOf(
  { verified, configNumber }: CommitLedgerInput,
  previous: Commit | undefined,
): Pick<Commit, "verification" | "verified_through"> {
  const known = verifiedThrough(previous);
  const through = configNumber === null ? known : Math.max(known, verified?.through ?? 0);
  const { checked = 0, wrong = 0, skipped = null } = verified ?? {};
  const isTold = checked > 0 || skipped !== null;
  return {
    ...(isTold ? { verification: { checked, wrong, skipped } } : {}),
    ...(through > 0 ? { verified_through: through } : {}),
  };
}

/** Cut short (time, a person) is `partial`: it goes on. What needs somebody is `failed`. */
function outcomeOf(
  error: RunError | null,
  plan: Plan | undefined,
  pending: PendingRemoval | null,
): RunOutcome {
  if (error === null && pending) return "held";
  if (error === null)
    return plan?.channels.some((channel) => channel.deltas.length > 0) ? "clean" : "no_change";
  if (error.code === "run_superseded") return "superseded";
  const cutShort =
    error.code === "run_cancelled" ||
    (isErrorCode(error.code) && errorTable[error.code].kind === "retry" && error.code !== "unexpected");
  return cutShort ? "partial" : "failed";
}

/** A user in two channels is one user: entered and exited are the largest channel's. */
function countsOf(parts: PartOutcome[], channels: LedgerRef[]): RunCounts {
  const sum = (of: (part: PartOutcome) => number) => parts.reduce((total, part) => total + of(part), 0);
  const settled = (direction: PartOutcome["direction"]) => {
    const byChannel = new Map<string, number>();
    for (const part of parts.filter((candidate) => candidate.direction === direction)) {
      const { cursor, rejects } = part.progress;
      byChannel.set(part.channel, (byChannel.get(part.channel) ?? 0) + cursor - rejects.count);
    }
    return Math.max(0, ...byChannel.values());
  };
  return {
    entered: settled("entered"),
    exited: settled("exited"),
    rejected: sum((part) => part.progress.rejects.count),
    unknown: channels.reduce((total, channel) => total + channel.counts.unknown, 0),
    waiting: channels.reduce((total, channel) => total + channel.counts.waiting, 0),
    requests: sum((part) => part.progress.requests),
    resent: sum((part) => part.progress.resent),
  };
}

/** Another run owns this number: what it did is in the log or will be; this one closes nothing. */
function superseded(input: CommitLedgerInput): CommittedRun {
  const commit = newCommit({ ...input, parts: [] }, undefined, [], null, undefined);
  return committedRun(commit, "superseded");
}
