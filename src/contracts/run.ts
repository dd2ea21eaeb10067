import type { Channel, Direction } from "./channel.ts";
import type { ConnectorKey } from "./connector-id.ts";
import type { ShownConfig } from "./connector-config.ts";
import type { PendingRemovalView } from "./view.ts";
import type { ConfigEntry, Dropped, FileRef, LedgerRef, RunError, RunOutcome, Verification } from "./log.ts";
import type { Recompute } from "./recompute.ts";

/** Inputs and results of the workflows and activities. References, counts and codes only: no user id, no secret. */

/** What an activity is told of the storage: its id, as the connector knows it. Histories of 0.1.0 do not say. */
export interface StorageBound {
  storageId?: string | null;
}

/** Which run an activity works for. */
export interface RunScope extends StorageBound {
  key: ConnectorKey;
  number: number;
  workflowId: string;
  runId: string;
}

export interface SyncRunInput extends StorageBound {
  key: ConnectorKey;
  number: number;
  reason: RunReason;
  /** The newest recompute that was signalled, if any: what is fetched may not be older. */
  recompute: Recompute | null;
  /** Everybody is to be unset, whatever SegOps says: the connector is being removed. */
  empty: boolean;
  /** Users of the whole ledger that a person wants compared with Braze; without it, a sample of what was lately written. */
  sample?: number | null;
}

export type RunReason =
  | "recompute"
  | "sync"
  | "config"
  | "activated"
  | "look"
  | "retry"
  | "remove"
  | "resync"
  | "approved"
  | "verify";

export interface FetchMembershipInput {
  scope: RunScope;
  recompute: Recompute | null;
}

export interface FetchedMembership {
  snapshot: FileRef;
  computedAt: string;
  memberCount: number;
  segmentName: string;
  dropped: Dropped;
}

/** Users that `verify` reads back where nobody says how many, and at most: fifty a request, 250 requests a minute. */
export const verifySampleUsers = 500;
export const maxVerifySampleUsers = 10_000;

export interface VerifyWritesInput {
  scope: RunScope;
  /** ISO 8601, the workflow's clock. */
  at: string;
  /** As in `SyncRunInput`. */
  sample: number | null;
}

export interface VerifiedWrites extends Verification {
  /** The channel that was looked at, and the users found wrong in it. */
  channel: Channel | null;
  wrongUsers: FileRef | null;
  /** What the runs up to this number wrote needs no look any more. */
  through: number;
}

export interface DiffMembershipInput {
  scope: RunScope;
  /** ISO 8601, the workflow's clock. */
  at: string;
  /** Null: nobody is a member, because the connector is being removed. */
  membership: FetchedMembership | null;
  /** Write every member again, also those whom Braze is known to show or once rejected. */
  resync?: boolean;
  /** Users of one channel whom Braze was seen to show otherwise than the ledger says. */
  wrong?: { channel: Channel; users: FileRef } | null;
}

export interface PlannedDelta {
  channel: Channel;
  direction: Direction;
  users: number;
  parts: number;
}

export interface DiffedMembership {
  /** False: there is nothing to send and no plan was written. */
  planned: boolean;
  deltas: PlannedDelta[];
  configNumber: number;
  /** How long one attempt at a part may send (`PART_SECONDS`). */
  partSeconds: number;
}

/**
 * How far a part has come, in users from its start. It travels as one value in heartbeats, results and failures, so that
 * cursor and rejects can never disagree.
 */
export interface PartProgress {
  /** Every user before it is settled: acknowledged or rejected. */
  cursor: number;
  /** No user at or past it was ever sent; between cursor and here Braze's state is unknown until a batch is settled. */
  attempted: number;
  rejects: Rejects;
  requests: number;
  resent: number;
}

/** Rejected users of a part: reason code → offsets in the part. Past `maxInlineRejects` they are a file. */
export interface Rejects {
  count: number;
  inline: Record<string, number[]>;
  file: FileRef | null;
}

/**
 * Stands before the reason code of a user whom Braze rejected after another request of the run for the same user may have been
 * applied: what Braze holds of such a user is unknown.
 */
export const doubtfulReject = "doubtful:";

/** Inline rejects of one part at most: past this a heartbeat or result would weigh on the history. */
export const maxInlineRejects = 1000;

export const noProgress: PartProgress = {
  cursor: 0,
  attempted: 0,
  rejects: { count: 0, inline: {}, file: null },
  requests: 0,
  resent: 0,
};

export interface SendPartInput {
  scope: RunScope;
  channel: Channel;
  direction: Direction;
  /** 0-based, within its delta. */
  part: number;
  /** Where an earlier execution of the same part stopped. */
  progress: PartProgress;
}

export interface SentPart {
  progress: PartProgress;
  /** False: its time was over before its users were. */
  done: boolean;
  /** An attempt before this one was lost: all past the cursor may have been sent, whatever `attempted` says. */
  isDoubtful?: boolean;
}

/** What became of one part, as the commit needs it. A part that was never started is not listed. */
export interface PartOutcome {
  channel: Channel;
  direction: Direction;
  part: number;
  /** False: how far it came is only known up to its last report, so all the rest may have been sent. */
  reported: boolean;
  progress: PartProgress;
}

export interface CommitLedgerInput {
  scope: RunScope;
  at: string;
  startedAt: string;
  reason: string;
  membership: FetchedMembership | null;
  /** Whether a plan was written; without one the ledger is carried over, or moved to a snapshot that needs no sending. */
  planned: boolean;
  configNumber: number | null;
  parts: PartOutcome[];
  error: RunError | null;
  verified?: VerifiedWrites | null;
}

/** What the connector keeps of a run. */
export interface RunSummary {
  number: number;
  workflow_id: string;
  outcome: RunOutcome;
  reason: string;
  entered: number;
  exited: number;
  rejected: number;
  unknown: number;
  waiting: number;
  requests: number;
  resent: number;
  computed_at: string | null;
  member_count: number | null;
  segment_name: string | null;
  started_at: string;
  finished_at: string;
  error: RunError | null;
  /** Only of runs that had something to verify. */
  verification?: Verification;
}

export interface CommittedRun {
  summary: RunSummary;
  channels: ({ channel: Channel } & LedgerRef["counts"])[];
  retryAt: string | null;
  pendingRemoval?: PendingRemovalView | null;
}

/** What the log's end says, for a connector that wakes or was overtaken. */
export interface OpenedLog {
  config: { number: number; status: ConfigEntry["status"]; shown: ShownConfig } | null;
  /** The newest run's number, 0 when there was none. */
  lastNumber: number;
  /** That run has a plan and no commit. */
  open: boolean;
  last: CommittedRun | null;
  lastSyncedAt: string | null;
  deliveredComputedAt: string | null;
  pace: Pace;
  /** The storage that it was read from. */
  storageId?: string | null;
}

/** The workers' settings that the connector turns on, read with the log so that its history records them. */
export interface Pace {
  lookIntervalMs: number;
  /** Continue-as-new after so many runs. */
  runsPerHistory: number;
  /** Continue-as-new past so many events, also while a run is under way. Workers before 0.2.0 say nothing of it. */
  eventsPerHistory?: number;
}

export interface OpenLogInput extends StorageBound {
  key: ConnectorKey;
  /** The newest closed run and settings that this history has seen; 0: none. A log that ends before them has lost entries. */
  known?: { run: number; config: number };
}

export interface CloseRunInput {
  scope: RunScope;
  at: string;
}

export interface WriteConfigInput extends StorageBound {
  key: ConnectorKey;
  workflowId: string;
  at: string;
  changeId: string;
  change: ConfigEntry["change"];
  /** A ConfigChange for `configured`, `{ digest }` for `removal_approved`; otherwise null. */
  config: unknown;
  /** Only where no connector is: it was never created, or was removed. */
  create?: boolean;
}

/** The settings as they stand after a change. */
export interface WrittenConfig {
  number: number;
  shown: ShownConfig;
}

export interface LookAtSegmentInput extends StorageBound {
  key: ConnectorKey;
}

export interface CleanUpInput extends StorageBound {
  key: ConnectorKey;
  /** ISO 8601, the workflow's clock. */
  at: string;
}

/** What a clean-up has deleted. */
export interface CleanedUp {
  files: number;
  bytes: number;
}

export interface SeenSegment {
  computedAt: string | null;
  memberCount: number | null;
  segmentName: string | null;
}
