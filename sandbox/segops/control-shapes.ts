import { z } from "zod";
import type { faultSchema } from "./faults.ts";
import { parseComputedAt } from "./computed-at.ts";
import { segmentOptionsSchema } from "./segment-options.ts";

/** Ids `prefix + from` … `prefix + (from + count - 1)`. A JavaScript Set ends at 2^24 entries, hence the limit. */
const generateSchema = z.strictObject({
  count: z.int().min(0).max(16_000_000),
  prefix: z.string(),
  from: z.int().min(0).default(0),
});
export type GeneratedIds = z.infer<typeof generateSchema>;

export const tenantSchema = z.strictObject({
  api_key: z.string().startsWith("sk_"),
  webhook: z
    .strictObject({
      url: z.url(),
      /** Without one, no signature is sent. */
      secret: z.string().optional(),
      /** Whether the signature begins with `sha256=`. */
      prefix: z.boolean().default(true),
    })
    .optional(),
});
export type TenantInput = z.input<typeof tenantSchema>;
export type TenantSettings = z.infer<typeof tenantSchema>;

export const segmentSchema = z.strictObject({
  name: z.string().optional(),
  description: z.string().optional(),
  members: z.array(z.string()).optional(),
  generate: generateSchema.optional(),
  options: segmentOptionsSchema.partial().optional(),
});
export type SegmentInput = z.input<typeof segmentSchema>;
export type SegmentSettings = z.infer<typeof segmentSchema>;

export const changeSchema = z.strictObject({
  /** How many of the pending members leave, oldest first. Exits are applied before entries. */
  exitFirst: z.int().min(0).optional(),
  exit: z.array(z.string()).optional(),
  enter: z.array(z.string()).optional(),
  enterGenerate: generateSchema.optional(),
});
export type ChangeInput = z.input<typeof changeSchema>;
export type MembershipChange = z.infer<typeof changeSchema>;

export const recomputeSchema = z.strictObject({
  /** Send the tenant's webhook, if it has one. */
  webhook: z.boolean().default(true),
  /** Published as written, even if it is older than the last one. */
  computed_at: z
    .string()
    .refine((text) => parseComputedAt(text) !== undefined, "not an ISO 8601 time with a zone")
    .optional(),
});
export type RecomputeInput = z.input<typeof recomputeSchema>;

export type FaultInput = z.input<typeof faultSchema>;

/** What became of one webhook: the receiver's status, or null and why no answer came. */
export interface WebhookResult {
  status: number | null;
  error?: string;
}

export interface RecomputeResult {
  computed_at: string;
  member_count: number;
  webhook: WebhookResult | null;
}

export interface FaultReport {
  id: number;
  kind: string;
  on: string;
  tenant?: string;
  segment?: number;
  /** How often it may still strike. */
  left: number | "always";
  struck: number;
}

/** Counts since the start. `requests` counts API calls by what they asked for, refused ones included. */
export interface SegopsStats {
  requests: Record<string, number>;
  webhooks: { delivered: number; failed: number };
  exports: { started: number; completed: number };
  /** Requests to the file host or path that carried an Authorization header, which a careful client drops. */
  authorizedFileRequests: number;
}
