import { z } from "zod";
import { channelSchema, directionSchema } from "./channel.ts";
import { timestampSchema } from "./recompute.ts";

/**
 * One user's timeline, told from a connector's log: `connector explain` and `GET …/explain/`. It never names the user: whoever
 * asked knows the id, and an answer without it may be kept or shown.
 */

/** Runs of one answer at most, and unless asked otherwise. */
export const maxExplainedRuns = 100;
export const defaultExplainedRuns = 20;

/**
 * What is known of a user's state in one channel. `reason` is null where the ledger's base says it; otherwise `unanswered`,
 * `not_sent`, `abandoned`, `quiet`, `held`, or the code of a rejection, and `since` tells from when on.
 */
const userStateSchema = z.object({
  /** `unknown`: Braze may show either, and the next run writes the user whatever it is. */
  state: z.enum(["present", "absent", "unknown"]),
  reason: z.string().nullable(),
  since: timestampSchema.nullable(),
  /** How often Braze has rejected the user in a row. */
  attempts: z.int().nonnegative(),
  /** Of a rejected user: when it may be tried again, null for never by itself. Of a quiet one: when it may be written. */
  retry_at: timestampSchema.nullable(),
});
export type UserState = z.infer<typeof userStateSchema>;

/**
 * What became of the user in one channel of one run:
 * `settled`: Braze acknowledged it · `rejected`: by name, or a rejection rests (`reason` is its code) · `unknown`: perhaps sent, never
 * answered · `quiet`: written so lately that it waits · `held`: the exit waits for a person · `not_sent`: planned, and the run
 * ended before · `in_progress`: the run is open. Null: nothing was to be done.
 */
const becameSchema = z
  .enum(["settled", "rejected", "unknown", "quiet", "held", "not_sent", "in_progress"])
  .nullable();
export type Became = z.infer<typeof becameSchema>;

const explainedChannelSchema = z.object({
  channel: channelSchema,
  /** Which way the run was to move the user; null: not at all. */
  planned: directionSchema.nullable(),
  became: becameSchema,
  reason: z.string().nullable(),
  /** The ledger after the run; null while it is open, and where its files were cleaned up. */
  after: userStateSchema.nullable(),
});
export type ExplainedChannel = z.infer<typeof explainedChannelSchema>;

const explainedRunSchema = z.object({
  number: z.int().positive(),
  /** Null while the run is open. */
  outcome: z.string().nullable(),
  error_code: z.string().nullable(),
  started_at: timestampSchema,
  finished_at: timestampSchema.nullable(),
  /** Of the membership that the run delivered; null where it had none. */
  computed_at: timestampSchema.nullable(),
  /** Whether that membership names the user; null where the run had none, or its file was cleaned up. */
  member: z.boolean().nullable(),
  /** `files_cleaned_up`: what is null may only be so because a file of this old run is gone. */
  files: z.enum(["whole", "files_cleaned_up"]),
  channels: z.array(explainedChannelSchema),
});
export type ExplainedRun = z.infer<typeof explainedRunSchema>;

export const explanationSchema = z.object({
  tenant_slug: z.string(),
  segment: z.int().positive(),
  now: z.object({
    /** The newest closed run, which `channels` is the ledger of; null before the first. */
    run: z.int().positive().nullable(),
    /** Whether the newest membership that a run has compared names the user; null where there was none. */
    desired: z.boolean().nullable(),
    computed_at: timestampSchema.nullable(),
    channels: z.array(userStateSchema.extend({ channel: channelSchema })),
  }),
  /** Newest first. */
  runs: z.array(explainedRunSchema),
  /** Give it as `before` to read on; null: these were the oldest. */
  next_before: z.int().positive().nullable(),
});
export type Explanation = z.infer<typeof explanationSchema>;

export interface ExplainOptions {
  /** At most `maxExplainedRuns`. */
  limit: number;
  /** Only runs of a lower number. */
  before?: number | undefined;
}
