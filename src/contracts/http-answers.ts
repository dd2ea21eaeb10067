import { z } from "zod";
import { channelSchema } from "./channel.ts";
import { tenantSlugSchema } from "./connector-id.ts";
import { runOutcomeSchema, verificationSchema } from "./log.ts";
import { roles } from "./role.ts";
import { connectorStatuses, runPhases, type ConnectorView } from "./view.ts";

/** What the gateway answers. */

const time = z.string().meta({ format: "date-time" });
const count = z.int().min(0);
const codedError = z.object({ code: z.string(), message: z.string() });

export const detailSchema = z.object({ detail: z.string() }).meta({
  id: "Detail",
  description: "What went wrong and what to do.",
});

export const problemSchema = z
  .union([z.object({ detail: z.string() }), z.record(z.string(), z.array(z.string()))])
  .meta({
    id: "Problem",
    description: "Either {detail}, or every field at fault with its reasons.",
  });

const runSchema = z
  .object({
    number: count,
    workflow_id: z.string(),
    outcome: runOutcomeSchema,
    reason: z.string(),
    entered: count,
    exited: count,
    rejected: count,
    unknown: count,
    waiting: count,
    requests: count,
    resent: count,
    computed_at: time.nullable(),
    member_count: count.nullable(),
    segment_name: z.string().nullable(),
    started_at: time,
    finished_at: time,
    error: codedError.nullable(),
    verification: verificationSchema.optional(),
  })
  .meta({ id: "Run" });

const openRunSchema = z
  .object({ number: count, workflow_id: z.string(), outcome: z.null(), started_at: z.string() })
  .meta({ id: "OpenRun", description: "A run that is not closed in the log yet." });

const progressSchema = z.object({
  phase: z.enum(runPhases),
  users_done: count,
  users_total: count,
  users_per_second: z.number(),
  eta_seconds: z.number().nullable(),
  last_error: z.string(),
});

const shownConfigSchema = z.object({
  rest_endpoint: z.string(),
  api_key: z.literal("***"),
  segment_id: z.string().optional(),
  attribute_name: z.string(),
  exit_mode: z.enum(["remove", "set_false"]),
  create_missing_users: z.boolean(),
  max_removal_percent: z.number(),
  requests_per_second: z.number(),
  batch_size: z.number(),
});

export const activationSchema = z
  .object({
    id: count,
    tenant_slug: tenantSlugSchema,
    segment: count,
    segment_name: z.string(),
    connector_type: z.literal("braze"),
    status: z.enum(connectorStatuses),
    config: shownConfigSchema,
    last_synced_at: time.nullable(),
    last_error: z.string(),
    last_error_code: z.string(),
    member_count: count.nullable(),
    channels: z.array(
      z.object({
        channel: channelSchema,
        delivered: count,
        rejected: count,
        unknown: count,
        waiting: count,
      }),
    ),
    pending_removal: z.object({ digest: z.string(), users: count }).nullable(),
    current_run: z
      .object({
        number: count,
        workflow_id: z.string(),
        reason: z.string(),
        computed_at: time.nullable(),
        started_at: time,
        progress: progressSchema.optional(),
      })
      .nullable(),
    last_run: runSchema.nullable(),
  } satisfies Record<keyof ConnectorView, z.ZodType>)
  .meta({ id: "Activation", description: "A connector: one segment delivered to one Braze workspace." });

/** SegOps' envelope around every list. */
function pageOf<Row extends z.ZodType>(row: Row, id: string) {
  return z
    .object({
      count,
      next: z.string().nullable().describe("The next page's address, null on the last."),
      previous: z.string().nullable(),
      results: z.array(row),
    })
    .meta({ id });
}

export const activationPageSchema = pageOf(activationSchema, "ActivationPage");
export const runPageSchema = pageOf(z.union([runSchema, openRunSchema]), "RunPage");

export const queuedSchema = z.object({ status: z.literal("queued") }).meta({ id: "Queued" });

export const webhookAnswerSchema = z
  .object({ status: z.enum(["accepted", "ignored"]), detail: z.string().optional() })
  .meta({ id: "WebhookAnswer" });

export const analyticsSchema = z.array(
  z
    .object({
      id: count,
      segment_id: count,
      segment_name: z.string(),
      connector_type: z.literal("braze"),
      status: z.enum(connectorStatuses),
      last_synced_at: time.nullable(),
      last_error: z.string(),
      member_count: count.nullable(),
      success_rate: z
        .int()
        .min(0)
        .max(100)
        .nullable()
        .describe("Percent of the last 30 runs; null before the first."),
      sync_logs: z
        .array(
          z.object({
            status: z.enum(["success", "error"]),
            user_count: count,
            error_message: z.string(),
            synced_at: time,
          }),
        )
        .describe("The last five runs."),
    })
    .meta({ id: "ActivationAnalytics" }),
);
export type ActivationAnalytics = z.infer<typeof analyticsSchema>[number];

export const sessionSchema = z
  .object({
    tenant_slug: tenantSlugSchema,
    role: z.enum(roles),
    temporal_ui_url: z.string().nullable(),
    namespace: z.string(),
    version: z.string(),
  })
  .meta({ id: "Session", description: "Who asks, and what the page needs to know of this installation." });

export const healthSchema = z.object({ status: z.literal("ok") }).meta({ id: "Health" });

export const readinessSchema = z
  .object({
    status: z.enum(["ready", "unready"]),
    temporal: z.enum(["ok", "unreachable"]),
    storage: z.enum(["ok", "unreachable"]),
  })
  .meta({ id: "Readiness" });
