import { defineSearchAttributeKey } from "@temporalio/common";

/** Names that any Temporal SDK may use against this service. They are stable. */
export const workflowTypes = { connector: "connector", syncRun: "syncRun" } as const;

export const taskQueues = {
  workflows: "segops-braze",
  /** Fetch, diff, commit and the log: DuckDB and storage. */
  compute: "segops-braze-compute",
  /** Everything that speaks to Braze, apart so that a large diff never blocks sending. */
  deliver: "segops-braze-deliver",
} as const;

export const handlerNames = {
  recompute: "recompute",
  configure: "configure",
  activate: "activate",
  deactivate: "deactivate",
  sync: "sync",
  resync: "resync",
  verify: "verify",
  approveRemoval: "approveRemoval",
  remove: "remove",
  describe: "describe",
  progress: "progress",
  newerMembership: "newerMembership",
  attached: "attached",
  runEnded: "runEnded",
} as const;

/** A connector's memo: the id of the storage that its log is in. */
export const storageIdMemo = "StorageId";

/** A namespace on PostgreSQL has room for three Int and three Datetime attributes: one of each is used. */
export const searchAttributes = {
  tenant: defineSearchAttributeKey("SegopsTenant", "KEYWORD"),
  segment: defineSearchAttributeKey("SegopsSegment", "KEYWORD"),
  status: defineSearchAttributeKey("ConnectorStatus", "KEYWORD"),
  outcome: defineSearchAttributeKey("RunOutcome", "KEYWORD"),
  lastSyncedAt: defineSearchAttributeKey("LastSyncedAt", "DATETIME"),
  rejectedCount: defineSearchAttributeKey("RejectedCount", "INT"),
} as const;
