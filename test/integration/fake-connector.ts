import { ApplicationFailure } from "@temporalio/activity";
import { attributeChannel } from "../../src/contracts/channel.ts";
import {
  connectorConfigSchema,
  defaultOptions,
  showConfig,
  type ConnectorConfig,
} from "../../src/contracts/connector-config.ts";
import type { ConnectorKey } from "../../src/contracts/connector-id.ts";
import { errorMessage, errorTable, isErrorCode, type ErrorCode } from "../../src/contracts/errors.ts";
import type { ConfigEntry, RunError, RunOutcome } from "../../src/contracts/log.ts";
import type {
  CommitLedgerInput,
  CommittedRun,
  OpenedLog,
  Pace,
  PartProgress,
  PlannedDelta,
  RunScope,
  SendPartInput,
  SentPart,
  VerifiedWrites,
  WriteConfigInput,
} from "../../src/contracts/run.ts";
import { noProgress } from "../../src/contracts/run.ts";

/** A run as the fake log has it: begun by its plan or by a fetch, closed by its commit. */
export interface FakeRun {
  scope: RunScope;
  planned: boolean;
  commit: CommittedRun | null;
  /** What the run handed to `commitLedger`. */
  handedIn: CommitLedgerInput | null;
}

/** What a test puts in front of an activity: throw to fail it, wait to hold it, answer to answer in its place. */
interface Hooks {
  openLog?: () => void | Promise<void>;
  writeConfig?: (input: WriteConfigInput) => void | Promise<void>;
  lookAtSegment?: () => void | Promise<void>;
  cleanUp?: () => void | Promise<void>;
  fetchMembership?: () => void | Promise<void>;
  diffMembership?: () => void | Promise<void>;
  verifyWrites?: () => VerifiedWrites | void | Promise<VerifiedWrites | void>;
  send?: (input: SendPartInput) => SentPart | void | Promise<SentPart | void>;
  commitLedger?: () => void | Promise<void>;
  closeRun?: () => void | Promise<void>;
}

/** One connector's storage, segment and Braze, in memory: just enough of each for the workflows to turn on. */
export class FakeConnector {
  readonly key: ConnectorKey;
  readonly configs: { entry: Omit<ConfigEntry, "version" | "kind">; changeId: string }[] = [];
  readonly runs = new Map<number, FakeRun>();
  readonly sent: SendPartInput[] = [];
  readonly counts = { opens: 0, looks: 0, cleanUps: 0, fetches: 0, closes: 0 };
  on: Hooks = {};
  segment = { computedAt: null as string | null, memberCount: 10, segmentName: "High LTV Buyers" };
  /** What the next plans send; null: one part of the attribute where the membership is new, else nothing. */
  deltas: PlannedDelta[] | null = null;
  partSeconds = 60;
  pace: Pace = { lookIntervalMs: 3_600_000, runsPerHistory: 100 };
  retryAt: string | null = null;

  constructor(key: ConnectorKey) {
    this.key = key;
  }

  /** Runs that were begun, as far as SegOps was asked. */
  get begun(): number {
    return this.counts.fetches;
  }

  get outcomes(): RunOutcome[] {
    return this.closed().map((run) => run.summary.outcome);
  }

  get lastRun(): FakeRun | undefined {
    return this.runs.get(Math.max(0, ...this.runs.keys()));
  }

  opened(): OpenedLog {
    const lastNumber = Math.max(
      0,
      ...[...this.runs].filter(([, run]) => inLog(run)).map(([number]) => number),
    );
    const synced = this.closed().filter((run) => ["clean", "no_change"].includes(run.summary.outcome));
    const latest = this.configs.at(-1)?.entry;
    return {
      config: latest
        ? { number: latest.number, status: latest.status, shown: showConfig(latest.config) }
        : null,
      lastNumber,
      open: lastNumber > 0 && this.runs.get(lastNumber)?.commit === null,
      last: this.closed().at(-1) ?? null,
      lastSyncedAt: synced.at(-1)?.summary.finished_at ?? null,
      deliveredComputedAt: synced.findLast((run) => run.summary.computed_at)?.summary.computed_at ?? null,
      pace: this.pace,
    };
  }

  writeConfig({ change, changeId, at, workflowId, config }: WriteConfigInput) {
    const known = this.configs.find((written) => written.changeId === changeId);
    if (known) return known.entry;
    const latest = this.configs.at(-1)?.entry;
    const merged = change === "configured" ? merge(this.key, latest?.config, config) : latest?.config;
    if (!merged) throw stopped("connector_not_found");
    const status = statusAfter(change, latest?.status);
    const number = (latest?.number ?? 0) + 1;
    const entry = {
      number,
      at,
      workflow_id: workflowId,
      change_id: changeId,
      change,
      status,
      config: merged,
    };
    this.configs.push({ entry, changeId });
    return entry;
  }

  begin(scope: RunScope, planned: boolean): void {
    const known = this.runs.get(scope.number);
    if (!known || (!inLog(known) && known.scope.runId !== scope.runId))
      this.runs.set(scope.number, { scope, planned, commit: null, handedIn: null });
    else if (known.scope.runId !== scope.runId) throw stopped("run_superseded");
    else if (known.commit) throw stopped("run_superseded");
    else known.planned ||= planned;
  }

  commit(scope: RunScope, at: string, ended: Ended, handedIn: CommitLedgerInput | null): CommittedRun {
    const known = this.runs.get(scope.number);
    if (known?.commit) {
      const mine = known.commit.summary.workflow_id === scope.workflowId;
      return mine ? known.commit : superseded(known.commit);
    }
    const commit = this.committed(scope, at, ended, handedIn);
    this.runs.set(scope.number, { scope, planned: known?.planned ?? false, commit, handedIn });
    return commit;
  }

  closed(): CommittedRun[] {
    return [...this.runs]
      .toSorted(([a], [b]) => a - b)
      .map(([, run]) => run.commit)
      .filter((commit) => commit !== null);
  }

  private committed(
    scope: RunScope,
    at: string,
    { outcome, reason, startedAt, error }: Ended,
    handedIn: CommitLedgerInput | null,
  ): CommittedRun {
    const removed = reason === "remove" && error === null;
    return {
      summary: {
        number: scope.number,
        workflow_id: scope.workflowId,
        outcome,
        reason,
        entered: 0,
        exited: 0,
        rejected: 0,
        unknown: 0,
        waiting: 0,
        requests: 0,
        resent: 0,
        computed_at: handedIn?.membership?.computedAt ?? null,
        member_count: handedIn?.membership?.memberCount ?? null,
        segment_name: handedIn?.membership?.segmentName ?? null,
        started_at: startedAt,
        finished_at: at,
        error,
      },
      channels: removed
        ? []
        : [
            {
              channel: attributeChannel(`segops_segment_${this.key.segment_id}`),
              delivered: 10,
              rejected: 0,
              unknown: 0,
              waiting: 0,
            },
          ],
      retryAt: this.retryAt,
    };
  }
}

export interface Ended {
  outcome: RunOutcome;
  reason: string;
  startedAt: string;
  error: RunError | null;
}

/** As the real log decides it. */
function statusAfter(
  change: ConfigEntry["change"],
  status: ConfigEntry["status"] = "inactive",
): ConfigEntry["status"] {
  switch (change) {
    case "activated":
      return "active";
    case "deactivated":
      return "inactive";
    case "removing":
    case "removed":
      return change;
    case "configured":
      return status === "active" ? "active" : "inactive";
    case "removal_approved":
      return status;
  }
}

function merge(key: ConnectorKey, stored: ConnectorConfig | undefined, change: unknown): ConnectorConfig {
  const merged = { ...defaultOptions(key.segment_id), ...stored, ...(change as Partial<ConnectorConfig>) };
  return connectorConfigSchema.parse(merged);
}

/** Only what has a plan or a commit is in a log: a run that merely fetches is not. */
function inLog(run: FakeRun): boolean {
  return run.planned || run.commit !== null;
}

function superseded(commit: CommittedRun): CommittedRun {
  return { ...commit, summary: { ...commit.summary, outcome: "superseded" } };
}

/** As the real commit decides it: cut short is `partial`, what needs somebody is `failed`. */
export function outcomeOf(error: RunError | null, sends: boolean): RunOutcome {
  if (error === null) return sends ? "clean" : "no_change";
  if (error.code === "run_superseded") return "superseded";
  const cutShort =
    error.code === "run_cancelled" ||
    (isErrorCode(error.code) && errorTable[error.code].kind === "retry" && error.code !== "unexpected");
  return cutShort ? "partial" : "failed";
}

/** A failure that no retry mends, as the activities throw it; with how far a part had come. */
export function stopped(code: ErrorCode, progress?: PartProgress): ApplicationFailure {
  const details = progress ? [progress] : [];
  return ApplicationFailure.create({ type: code, message: errorMessage(code), nonRetryable: true, details });
}

/** A failure that Temporal retries, after the given time if there is one. */
export function troubled(
  code: ErrorCode,
  progress?: PartProgress,
  retryAfterMs?: number,
): ApplicationFailure {
  const details = progress ? [progress] : [];
  const nextRetryDelay = retryAfterMs;
  return ApplicationFailure.create({ type: code, message: errorMessage(code), details, nextRetryDelay });
}

/** So many users of a part settled, and none after them touched. */
export function settledUpTo(cursor: number): PartProgress {
  return { ...noProgress, cursor, attempted: cursor, requests: 1 };
}
