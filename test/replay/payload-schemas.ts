import { z } from "zod";
import type { createActivities } from "../../src/activities/create-activities.ts";
import { channelSchema, directionSchema } from "../../src/contracts/channel.ts";
import {
  configChangeSchema,
  connectorConfigSchema,
  maskedKey,
} from "../../src/contracts/connector-config.ts";
import { connectorKeySchema } from "../../src/contracts/connector-id.ts";
import type { ConnectorInput } from "../../src/contracts/connector-messages.ts";
import { commitSchema, configEntrySchema, fileRefSchema, ledgerRefSchema } from "../../src/contracts/log.ts";
import { timestampSchema, type Recompute } from "../../src/contracts/recompute.ts";
import type {
  CommittedRun,
  FetchedMembership,
  PartOutcome,
  PartProgress,
  RunReason,
  RunScope,
  RunSummary,
  SyncRunInput,
  VerifiedWrites,
} from "../../src/contracts/run.ts";
import type { ConnectorView } from "../../src/contracts/view.ts";

// What travels inside the service is checked by the compiler alone; here it is checked in what old versions left behind. Each
// schema is held to the code's own type, so that a type that changes its shape must be changed here too, and then decides
// whether the histories of every version still fit it.

const count = z.int().nonnegative();
const shownConfigSchema = connectorConfigSchema.extend({ api_key: z.literal(maskedKey) });
const runErrorSchema = commitSchema.shape.error;
const reasonSchema = z.enum([
  "recompute",
  "sync",
  "config",
  "activated",
  "look",
  "retry",
  "remove",
  "verify",
]) satisfies z.ZodType<RunReason>;

const recomputeSchema = z.object({
  computed_at: timestampSchema.optional(),
  member_count: count.optional(),
  segment_name: z.string().optional(),
}) satisfies z.ZodType<Recompute>;

/** Histories of 0.1.0 do not say. */
const storageBound = { storageId: z.uuid().nullish() };

const scopeSchema = z.object({
  ...storageBound,
  key: connectorKeySchema,
  number: z.int().positive(),
  workflowId: z.string().min(1),
  runId: z.uuid(),
}) satisfies z.ZodType<RunScope>;

const membershipSchema = z.object({
  snapshot: fileRefSchema,
  computedAt: timestampSchema,
  memberCount: count,
  segmentName: z.string(),
  dropped: commitSchema.shape.dropped.unwrap(),
}) satisfies z.ZodType<FetchedMembership>;

const progressSchema = z.object({
  cursor: count,
  attempted: count,
  rejects: z.object({
    count,
    inline: z.record(z.string(), z.array(count)),
    file: fileRefSchema.nullable(),
  }),
  requests: count,
  resent: count,
}) satisfies z.ZodType<PartProgress>;

const partSchema = z.object({
  channel: channelSchema,
  direction: directionSchema,
  part: count,
  reported: z.boolean(),
  progress: progressSchema,
}) satisfies z.ZodType<PartOutcome>;

const verificationSchema = commitSchema.shape.verification.unwrap().unwrap();
const verifiedSchema = verificationSchema.extend({
  channel: channelSchema.nullable(),
  wrongUsers: fileRefSchema.nullable(),
  through: count,
}) satisfies z.ZodType<VerifiedWrites>;

const summarySchema = z.object({
  number: z.int().positive(),
  workflow_id: z.string(),
  outcome: commitSchema.shape.outcome,
  reason: z.string(),
  ...commitSchema.shape.counts.shape,
  computed_at: timestampSchema.nullable(),
  member_count: count.nullable(),
  segment_name: z.string().nullable(),
  started_at: timestampSchema,
  finished_at: timestampSchema,
  error: runErrorSchema,
  verification: verificationSchema.optional(),
}) satisfies z.ZodType<RunSummary>;

const channelCountsSchema = z.object({ channel: channelSchema, ...ledgerRefSchema.shape.counts.shape });

const committedRunSchema = z.object({
  summary: summarySchema,
  channels: z.array(channelCountsSchema),
  retryAt: timestampSchema.nullable(),
}) satisfies z.ZodType<CommittedRun>;

const currentRunSchema = z.object({
  number: z.int().positive(),
  workflow_id: z.string(),
  reason: z.string(),
  computed_at: timestampSchema.nullable(),
  started_at: timestampSchema,
});

/** What each update answers. */
export const viewSchema = z.object({
  id: z.int().positive(),
  tenant_slug: z.string(),
  segment: z.int().positive(),
  segment_name: z.string(),
  connector_type: z.literal("braze"),
  status: z.enum(["inactive", "active", "error"]),
  config: shownConfigSchema,
  last_synced_at: timestampSchema.nullable(),
  last_error: z.string(),
  last_error_code: z.string(),
  member_count: count.nullable(),
  channels: z.array(channelCountsSchema),
  pending_removal: z.null(),
  current_run: currentRunSchema.nullable(),
  last_run: summarySchema.nullable(),
}) satisfies z.ZodType<ConnectorView>;

const sendPart = {
  input: z.object({
    scope: scopeSchema,
    channel: channelSchema,
    direction: directionSchema,
    part: count,
    progress: progressSchema,
  }),
  result: z.object({ progress: progressSchema, done: z.boolean(), isDoubtful: z.boolean().optional() }),
  /** What a failure of it, or its heartbeats, carry. */
  details: progressSchema,
  /** What a failure carries beside it. */
  doubt: z.object({ isDoubtful: z.boolean() }),
};

type Activities = ReturnType<typeof createActivities>;
type ActivitySchemas = {
  [Name in keyof Activities]: {
    input: z.ZodType<Parameters<Activities[Name]>[0]>;
    result: z.ZodType<Awaited<ReturnType<Activities[Name]>>>;
    details?: z.ZodType;
    doubt?: z.ZodType;
  };
};

export const activitySchemas: ActivitySchemas = {
  openLog: {
    input: z.object({
      ...storageBound,
      key: connectorKeySchema,
      known: z.object({ run: count, config: count }).optional(),
    }),
    result: z.object({
      ...storageBound,
      config: z
        .object({
          number: z.int().positive(),
          status: configEntrySchema.shape.status,
          shown: shownConfigSchema,
        })
        .nullable(),
      lastNumber: count,
      open: z.boolean(),
      last: committedRunSchema.nullable(),
      lastSyncedAt: timestampSchema.nullable(),
      deliveredComputedAt: timestampSchema.nullable(),
      pace: z.object({
        lookIntervalMs: z.int().positive(),
        runsPerHistory: z.int().positive(),
        eventsPerHistory: z.int().positive().optional(),
      }),
    }),
  },
  writeConfig: {
    input: z.object({
      ...storageBound,
      key: connectorKeySchema,
      workflowId: z.string(),
      at: timestampSchema,
      changeId: z.string(),
      change: configEntrySchema.shape.change,
      config: configChangeSchema().nullable(),
      create: z.boolean().optional(),
    }),
    result: z.object({ number: z.int().positive(), shown: shownConfigSchema }),
  },
  lookAtSegment: {
    input: z.object({ ...storageBound, key: connectorKeySchema }),
    result: z.object({
      computedAt: timestampSchema.nullable(),
      memberCount: count.nullable(),
      segmentName: z.string().nullable(),
    }),
  },
  cleanUp: {
    input: z.object({ ...storageBound, key: connectorKeySchema, at: timestampSchema }),
    result: z.object({ files: count, bytes: count }),
  },
  fetchMembership: {
    input: z.object({ scope: scopeSchema, recompute: recomputeSchema.nullable() }),
    result: membershipSchema,
  },
  verifyWrites: {
    input: z.object({ scope: scopeSchema, at: timestampSchema, sample: z.int().positive().nullable() }),
    result: verifiedSchema,
  },
  diffMembership: {
    input: z.object({
      scope: scopeSchema,
      at: timestampSchema,
      membership: membershipSchema.nullable(),
      wrong: z.object({ channel: channelSchema, users: fileRefSchema }).optional(),
    }),
    result: z.object({
      planned: z.boolean(),
      deltas: z.array(
        z.object({
          channel: channelSchema,
          direction: directionSchema,
          users: count,
          parts: z.int().positive(),
        }),
      ),
      configNumber: z.int().positive(),
      partSeconds: z.int().positive(),
    }),
  },
  trackEntered: sendPart,
  unsetExited: sendPart,
  updateSubscriptionGroup: sendPart,
  commitLedger: {
    input: z.object({
      scope: scopeSchema,
      at: timestampSchema,
      startedAt: timestampSchema,
      reason: z.string(),
      membership: membershipSchema.nullable(),
      planned: z.boolean(),
      configNumber: z.int().positive().nullable(),
      parts: z.array(partSchema),
      error: runErrorSchema,
      verified: verifiedSchema.optional(),
    }),
    result: committedRunSchema,
  },
  closeRun: {
    input: z.object({ scope: scopeSchema, at: timestampSchema }),
    result: committedRunSchema,
  },
};

export const workflowSchemas = {
  connector: {
    input: connectorKeySchema.extend({
      carried: z
        .object({
          newest: recomputeSchema.nullable(),
          wanted: reasonSchema.nullable(),
          lookAtMs: z.number().nonnegative(),
          partialStreak: count,
          ...storageBound,
          sample: z.int().positive().optional(),
          cleanUpAtMs: z.number().nonnegative().optional(),
          run: z.object({ current: currentRunSchema, told: z.boolean() }).optional(),
          lostRun: currentRunSchema.optional(),
          ignoredSignals: count.optional(),
        })
        .optional(),
    }) satisfies z.ZodType<ConnectorInput>,
    result: z.string().min(1),
  },
  syncRun: {
    input: z.object({
      ...storageBound,
      key: connectorKeySchema,
      number: z.int().positive(),
      reason: reasonSchema,
      recompute: recomputeSchema.nullable(),
      empty: z.boolean(),
      sample: z.int().positive().nullish(),
    }) satisfies z.ZodType<SyncRunInput>,
    result: committedRunSchema,
  },
};

/** Newer than the newest recording: it leaves this list as it is recorded. */
export const notRecordedYet: readonly string[] = ["cleanUp"];

/** Their arguments. */
export const updateSchemas = {
  configure: configChangeSchema(),
  activate: z.never(),
  deactivate: z.never(),
  sync: z.never(),
  remove: z.object({ cleanup: z.boolean().optional() }),
  verify: z.object({ sample: z.int().positive().optional() }),
};

/** Second arguments, of those that take one. */
export const updateOptionSchemas = { configure: z.object({ create: z.boolean() }) };

/** A signal's body may be anything at all: what is none is noted and ignored. */
export const signalSchemas = {
  recompute: z.unknown(),
  newerMembership: z.never(),
  attached: z.never(),
  runEnded: z.int().positive(),
};
