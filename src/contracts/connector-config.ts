import { z } from "zod";
import { defaultOptions, maskedKey } from "./connector-defaults.ts";
import { restEndpointSchema } from "./rest-endpoint.ts";
import { maxTrackBatchSizeUsers } from "./channel.ts";

export { defaultOptions, maskedKey };

/**
 * A Braze REST key sealed by the caller as a compact JWE (five base64url parts). A key in clear is refused, so that none
 * reaches a workflow history.
 */
export const sealedKeySchema = z
  .string({ error: "is required: the Braze REST key, sealed with the worker's public key" })
  .regex(/^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/, {
    error:
      "must be sealed with the worker's public key before it is sent; use the client or `segops-braze connector`",
  });

/** Custom attribute names that Braze reads as profile fields or operators (reference: Braze API, sections 1.2 and 5.2). */
export const attributeNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,99}$/, {
    error: "must be 1 to 100 lowercase letters, digits or '_', starting with a letter",
  })
  .refine((name) => !reservedAttributeNames.has(name), {
    error: "is one of Braze's own profile fields; choose a name of your own, such as segops_segment_7",
  });

export const reservedAttributeNames = new Set(
  (
    "external_id user_alias braze_id email phone first_name last_name country language dob gender home_city time_zone " +
    "current_location email_subscribe push_subscribe push_tokens push_token_import date_of_first_session date_of_last_session " +
    "marked_email_as_spam_at email_open_tracking_disabled email_click_tracking_disabled facebook twitter image_url alias_name " +
    "alias_label subscription_groups bio email_subscription_info"
  ).split(" "),
);

/** The id of a subscription group; Braze shows UUIDs, other spellings are left to Braze to refuse. */
const subscriptionGroupIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, {
  error: "must be the id of a Braze subscription group, as its page shows it (letters, digits, '-' and '_')",
});

/** The fields beyond SegOps' three, each with its default. */
const optionShape = {
  attribute_name: attributeNameSchema,
  /** `remove` writes null; `set_false` writes false. Marketers' filters tell the two apart. */
  exit_mode: z.enum(["remove", "set_false"], { error: "must be remove or set_false" }),
  create_missing_users: z.boolean({ error: "must be true or false" }),
  max_removal_percent: z
    .number({ error: "must be a number from 0 to 100" })
    .min(0, { error: "must be at least 0" })
    .max(100, { error: "must be at most 100" }),
  requests_per_second: z
    .int({ error: "must be a whole number of requests a second" })
    .min(1, { error: "must be at least 1" })
    .max(10_000, { error: "must be at most 10000" }),
  batch_size: z
    .int({ error: "must be a whole number of users" })
    .min(1, { error: "must be at least 1" })
    .max(maxTrackBatchSizeUsers, {
      error: `must be at most ${maxTrackBatchSizeUsers}: Braze takes no more users in one request`,
    }),
};

/** The whole configuration as the log keeps it: the key sealed, every default filled in. */
export const connectorConfigSchema = z.strictObject({
  rest_endpoint: restEndpointSchema(),
  api_key: sealedKeySchema,
  segment_id: subscriptionGroupIdSchema.optional(),
  ...optionShape,
});
export type ConnectorConfig = z.infer<typeof connectorConfigSchema>;

/** A configuration as it may be shown: the same, the key masked. */
export type ShownConfig = Omit<ConnectorConfig, "api_key"> & { api_key: typeof maskedKey };

/**
 * What `configure` takes: any of the fields; a field left out keeps its stored value, null returns it to its default,
 * `***` keeps the stored key. Origins beside Braze's own hosts are the workers' to allow, so here any https origin or a
 * loopback one passes; the client and the workers check the rest.
 */
export function configChangeSchema(allowedOrigins?: readonly string[]) {
  return z.strictObject(
    {
      rest_endpoint: restEndpointSchema(allowedOrigins).optional(),
      api_key: z.union([z.literal(maskedKey), sealedKeySchema]).optional(),
      segment_id: subscriptionGroupIdSchema.or(z.literal("")).nullish(),
      attribute_name: attributeNameSchema.nullish(),
      exit_mode: optionShape.exit_mode.nullish(),
      create_missing_users: optionShape.create_missing_users.nullish(),
      max_removal_percent: optionShape.max_removal_percent.nullish(),
      requests_per_second: optionShape.requests_per_second.nullish(),
      batch_size: optionShape.batch_size.nullish(),
    },
    {
      error: (issue) =>
        issue.code === "unrecognized_keys"
          ? `unknown configuration field: ${issue.keys.join(", ")}; known are ${Object.keys(optionShape).join(", ")}, rest_endpoint, api_key, segment_id`
          : undefined,
    },
  );
}
export type ConfigChange = z.infer<ReturnType<typeof configChangeSchema>>;

/**
 * Lays a change over what is stored. Answers the whole configuration, or what is wrong with it, field by field.
 * The sealed key is bound to its host, so a changed endpoint needs the key again.
 */
export function mergeConfig(
  stored: ConnectorConfig | undefined,
  change: ConfigChange,
  segmentId: number,
): { config: ConnectorConfig } | { issues: FieldIssue[] } {
  const defaults: Pick<ConnectorConfig, keyof typeof optionShape> = defaultOptions(segmentId);
  const merged: Record<string, unknown> = { ...defaults, ...stored };
  for (const [field, value] of Object.entries(change)) {
    if (value === undefined || value === maskedKey) continue;
    if (value === null || value === "") merged[field] = (defaults as Record<string, unknown>)[field];
    else merged[field] = value;
  }
  const moved = stored && merged["rest_endpoint"] !== stored.rest_endpoint;
  if (moved && merged["api_key"] === stored.api_key) {
    return {
      issues: [
        {
          field: "api_key",
          message: "is required again when rest_endpoint changes: a key belongs to one Braze host",
        },
      ],
    };
  }
  const parsed = connectorConfigSchema.safeParse(merged);
  return parsed.success ? { config: parsed.data } : { issues: fieldIssues(parsed.error) };
}

export function showConfig(config: ConnectorConfig): ShownConfig {
  return { ...config, api_key: maskedKey };
}

export interface FieldIssue {
  field: string;
  message: string;
}

/** `field: reason; field: reason` */
export function issueWords(issues: readonly FieldIssue[]): string {
  return issues.map(({ field, message }) => `${field}: ${message}`).join("; ");
}

/** A zod error as field and message, without the values: one of them may be a secret. */
export function fieldIssues(error: z.ZodError): FieldIssue[] {
  return error.issues.map((issue) => ({ field: issue.path.join(".") || "(whole)", message: issue.message }));
}
