import { z } from "zod";
import { channelSchema, directionSchema } from "./channel.ts";
import { connectorConfigSchema } from "./connector-config.ts";
import { timestampSchema } from "./recompute.ts";

/**
 * The log of one connector: small JSON entries that are only ever created. `log/000000000042.plan.json` opens run 42 and
 * `log/000000000042.commit.json` closes it; `config/000000000003.json` is the third version of the settings.
 */

/** A file in storage as an entry names it: it counts only if it is whole. */
export const fileRefSchema = z.object({
  key: z.string(),
  rows: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type FileRef = z.infer<typeof fileRefSchema>;

/** What we know Braze holds in one channel: a base snapshot (null: nobody) and the exceptions from it (null: none). */
export const ledgerRefSchema = z.object({
  channel: channelSchema,
  /** The workspace it was written to; another endpoint starts from an empty ledger. */
  rest_endpoint: z.string(),
  /** The settings under which it was last written to. */
  config_number: z.int().positive(),
  base: fileRefSchema.nullable(),
  exceptions: fileRefSchema.nullable(),
  counts: z.object({
    /** Users known to be present in Braze. */
    delivered: z.int().nonnegative(),
    rejected: z.int().nonnegative(),
    unknown: z.int().nonnegative(),
    /** Exceptions still to be written: neither rejected nor unknown. */
    waiting: z.int().nonnegative(),
  }),
  /** The earliest time at which a rejected user may be tried again. */
  retry_at: timestampSchema.nullable(),
});
export type LedgerRef = z.infer<typeof ledgerRefSchema>;

/** Exits that wait for a person: exactly these users, by the digest that a person approves. */
const pendingRemovalSchema = z.object({
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  users: z.int().positive(),
  sets: z.array(z.object({ channel: channelSchema, file: fileRefSchema })),
});
export type PendingRemoval = z.infer<typeof pendingRemovalSchema>;

const deltaSchema = z.object({
  direction: directionSchema,
  users: z.int().nonnegative(),
  batch_size: z.int().positive(),
  parts: z.array(fileRefSchema),
});

/** What a run is about to do in one channel, from the ledger it starts on. */
const channelPlanSchema = z.object({
  channel: channelSchema,
  /** The ledger's files before this run. */
  base: fileRefSchema.nullable(),
  exceptions: fileRefSchema.nullable(),
  /** `snapshot`: everybody in it; `empty`: nobody, because the channel was removed from the configuration. */
  target: z.enum(["snapshot", "empty"]),
  /** Exceptions that this run leaves alone, such as users whom Braze rejected for good. */
  kept: fileRefSchema.nullable(),
  /** Exits among them that the removal guard holds. */
  held: fileRefSchema.nullish(),
  deltas: z.array(deltaSchema),
});
export type ChannelPlan = z.infer<typeof channelPlanSchema>;

const entryHead = {
  version: z.literal(1),
  number: z.int().positive(),
  workflow_id: z.string(),
  run_id: z.string(),
  /** The workflow's clock, never a worker's. */
  at: timestampSchema,
};

const recomputeRefSchema = z.object({
  computed_at: timestampSchema,
  member_count: z.int().nonnegative(),
  segment_name: z.string(),
});

export const planSchema = z.object({
  ...entryHead,
  kind: z.literal("plan"),
  config_number: z.int().positive(),
  /** Null when everybody is unset because the connector is being removed. */
  recompute: recomputeRefSchema.nullable(),
  snapshot: fileRefSchema.nullable(),
  channels: z.array(channelPlanSchema),
  pending_removal: pendingRemovalSchema.nullish(),
});
export type Plan = z.infer<typeof planSchema>;

export const runOutcomeSchema = z.enum(["clean", "no_change", "partial", "held", "failed", "superseded"]);
export type RunOutcome = z.infer<typeof runOutcomeSchema>;

/** Members of the source that no request can name, by reason. */
const droppedSchema = z.object({
  empty: z.int().nonnegative(),
  ill_formed: z.int().nonnegative(),
  not_string: z.int().nonnegative(),
  duplicate: z.int().nonnegative(),
});
export type Dropped = z.infer<typeof droppedSchema>;

const runCountsSchema = z.object({
  entered: z.int().nonnegative(),
  exited: z.int().nonnegative(),
  rejected: z.int().nonnegative(),
  unknown: z.int().nonnegative(),
  waiting: z.int().nonnegative(),
  requests: z.int().nonnegative(),
  /** Requests sent again after an answer that did not settle them. */
  resent: z.int().nonnegative(),
});
export type RunCounts = z.infer<typeof runCountsSchema>;

/** What reading users back from Braze came to. */
export const verificationSchema = z.object({
  /** Users of whom Braze said what it shows. */
  checked: z.int().nonnegative(),
  /** Those of them whom Braze shows otherwise than the ledger says: this run takes them for unknown. */
  wrong: z.int().nonnegative(),
  /** The code of what kept it from looking at all of them; null: nothing did. */
  skipped: z.string().nullable(),
});
export type Verification = z.infer<typeof verificationSchema>;

const runErrorSchema = z.object({ code: z.string(), message: z.string() });
export type RunError = z.infer<typeof runErrorSchema>;

export const commitSchema = z.object({
  ...entryHead,
  kind: z.literal("commit"),
  outcome: runOutcomeSchema,
  reason: z.string(),
  config_number: z.int().positive().nullable(),
  recompute: recomputeRefSchema.nullable(),
  dropped: droppedSchema.nullable(),
  /** Every channel's ledger after the run. */
  channels: z.array(ledgerRefSchema),
  /** Exits that are held after the run. */
  pending_removal: pendingRemovalSchema.nullish(),
  /** Whether any user of the plan may have been written in Braze. Logs of 0.1.0 do not say so. */
  sent: z.boolean().nullish(),
  counts: runCountsSchema,
  /** Only of runs that had something to verify. */
  verification: verificationSchema.nullish(),
  /** What the runs up to this number wrote has been verified by sample, or never will be. Nothing said: 0. */
  verified_through: z.int().nonnegative().nullish(),
  started_at: timestampSchema,
  /** The newest run, up to and including this one, after which Braze showed what SegOps said. */
  synced: z.object({ at: timestampSchema, computed_at: timestampSchema }).nullable(),
  error: runErrorSchema.nullable(),
});
export type Commit = z.infer<typeof commitSchema>;

export const configEntrySchema = z.object({
  version: z.literal(1),
  kind: z.literal("config"),
  number: z.int().positive(),
  at: timestampSchema,
  workflow_id: z.string(),
  /** One per change asked for: a repeated write of the same change is recognised by it. */
  change_id: z.string(),
  change: z.enum(["configured", "activated", "deactivated", "removing", "removed", "removal_approved"]),
  status: z.enum(["inactive", "active", "removing", "removed"]),
  config: connectorConfigSchema,
  /** Of `removal_approved`: the exits that may go out. */
  approved: pendingRemovalSchema.nullish(),
});
export type ConfigEntry = z.infer<typeof configEntrySchema>;

/** Folder of one connector in storage, with a slash at its end. */
export function connectorFolder(key: { tenant_slug: string; segment_id: number }): string {
  return `connectors/${key.tenant_slug}/${key.segment_id}/`;
}

export function planKey(folder: string, number: number): string {
  return `${folder}log/${digits(number)}.plan.json`;
}

export function commitKey(folder: string, number: number): string {
  return `${folder}log/${digits(number)}.commit.json`;
}

export function configKey(folder: string, number: number): string {
  return `${folder}config/${digits(number)}.json`;
}

/** Twelve digits, so that names sort as numbers do. */
function digits(number: number): string {
  return String(number).padStart(12, "0");
}
