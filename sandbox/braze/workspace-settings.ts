import { z } from "zod";

/** How a workspace behaves. Everything can be changed while requests run. */
const settingsSchema = z.strictObject({
  /** Objects one /users/track request may carry; Braze changed this between contracts. */
  objectBudget: z.enum(["combined75", "legacy75each", "combined50"]),
  /** How rate headers read: `a` reset in epoch seconds, `b` reset in seconds left and a lone retry-after on 429. */
  headerMode: z.enum(["a", "b", "off"]),
  /** Requests to /users/track per 3 seconds; null is no limit. */
  burstPer3s: z.int().positive().nullable(),
  /** Requests to /users/track per clock hour; null is no limit. */
  perHour: z.int().positive().nullable(),
  /** Requests to both subscription/status/set paths together, per minute. */
  subscriptionPerMinute: z.int().positive().nullable(),
  /** Workspaces naming the same company share their windows. */
  company: z.string().min(1).nullable(),
  /** What a 429 carries. */
  limitBody: z.enum(["json", "empty"]),
  /** What a body over the size limit gets. */
  oversizeAnswer: z.enum(["html413", "json400"]),
  /** Time between acceptance and the change being visible, in ms; at most Braze's own 5 minutes. */
  applyDelayMs: z.int().min(0).max(300_000),
  /** Order in which pending requests are applied. Other than `fifo`, they are applied in windows of `applyDelayMs`. */
  applyOrder: z.enum(["fifo", "reversed", "shuffled"]),
  /** Seed of the `shuffled` order. */
  applySeed: z.int(),
  /** Two pending requests for one user both start from the old profile, so that the later one wipes the earlier. */
  lostUpdate: z.boolean(),
  /** Latency of each answer in ms. */
  answerDelayMs: z.int().min(0).max(600_000),
  /** External ids Braze refuses by name. */
  blockedIds: z.array(z.string()),
  /** What `errors` holds: sentences, symbolic names, or plain strings in place of objects. */
  errorStyle: z.enum(["sentences", "names", "strings"]),
  /** Ids of the subscription groups that exist; null accepts any UUID. */
  subscriptionGroups: z.array(z.string()).nullable(),
  /** Custom attributes whose data is dropped in silence. */
  blocklistedAttributes: z.array(z.string()),
  /** Custom attributes with a forced type; values of other types are dropped in silence. */
  forcedTypes: z.record(z.string(), z.enum(["boolean", "number", "string"])),
  /** Elements an array attribute keeps, newest ones. */
  arrayLimit: z.int().positive(),
  /** Whether /users/export/ids insists on `fields_to_export`, as for customers since August 2024. */
  requireFieldsToExport: z.boolean(),
  /** Keep each accepted write, for checkers. */
  recordWrites: z.boolean(),
  /** Keep the digest of each accepted track request. */
  recordBodies: z.boolean(),
});

export type WorkspaceSettings = z.infer<typeof settingsSchema>;

export const defaultSettings: WorkspaceSettings = {
  objectBudget: "combined75",
  headerMode: "a",
  burstPer3s: null,
  perHour: null,
  subscriptionPerMinute: 5_000,
  company: null,
  limitBody: "json",
  oversizeAnswer: "html413",
  applyDelayMs: 50,
  applyOrder: "fifo",
  applySeed: 1,
  lostUpdate: false,
  answerDelayMs: 0,
  blockedIds: [],
  errorStyle: "sentences",
  subscriptionGroups: null,
  blocklistedAttributes: [],
  forcedTypes: {},
  arrayLimit: 500,
  requireFieldsToExport: true,
  recordWrites: false,
  recordBodies: false,
};

/** Body of POST /_control/workspaces: what is left out stays as it is. */
export const workspacePatchSchema = settingsSchema.partial().extend({
  key: z.string().min(1),
  /** What the key may do; bulk and sync are closed betas and must be named. */
  permissions: z.array(z.string()).optional(),
  /** A revoked key answers 401 while its workspace lives on. */
  revoked: z.boolean().optional(),
  /** Makes this a further key of the workspace which that key opens (a rotated key). */
  sharesWorkspaceOf: z.string().optional(),
  /** External ids to take off `blockedIds`. */
  unblock: z.array(z.string()).optional(),
});

export type WorkspacePatch = z.infer<typeof workspacePatchSchema>;
