import { z } from "zod";
import {
  attributeNameSchema,
  configChangeSchema,
  defaultOptions,
  maskedKey,
  reservedAttributeNames,
} from "./connector-config.ts";
import { strict, statusChangeSchema } from "./http.ts";
import { segmentIdSchema } from "./connector-id.ts";
import { restEndpointPattern, restEndpointSchema } from "./rest-endpoint.ts";

/**
 * A connector's configuration as a caller writes it: SegOps' three fields first, the key in clear. What JSON Schema cannot be read
 * off the checks is said in `meta`, so that what the published schema lets through is let through.
 */
function configShape(allowedOrigins: readonly string[]) {
  const options = configChangeSchema(allowedOrigins).shape;
  return {
    rest_endpoint: restEndpointSchema(allowedOrigins)
      .meta({ pattern: restEndpointPattern(allowedOrigins) })
      .describe("Your Braze REST endpoint, https and without a slash at its end."),
    api_key: z
      .string({ error: "is required: a Braze REST API key with users.track" })
      .max(512, { error: "must be at most 512 characters" })
      .regex(/^[\x21-\x7e]+$/, {
        error: "must be a Braze REST API key: one word of visible ASCII characters",
      })
      .describe("A Braze REST API key with users.track. Never shown again: reads have ***."),
    segment_id: options.segment_id.describe("Id of a subscription group to keep in step too."),
    attribute_name: attributeNameSchema
      .meta({ pattern: `^(?!(?:${[...reservedAttributeNames].join("|")})$)[a-z][a-z0-9_]{0,99}$` })
      .nullish()
      .describe("The custom attribute that members have. Default: segops_segment_<segment>."),
    exit_mode: options.exit_mode.describe("What those who leave get: null (remove, the default) or false."),
    create_missing_users: options.create_missing_users.describe(
      "Whether an entering user whom Braze has not seen yet is created. Default: true.",
    ),
    max_removal_percent: options.max_removal_percent.describe(
      "A larger share of removals at once waits for a person. Default: 30.",
    ),
    requests_per_second: options.requests_per_second.describe("Default: 1000."),
    batch_size: options.batch_size.describe("Users to a request. Default: 75."),
  };
}

const newKey = (key: ReturnType<typeof configShape>["api_key"]) =>
  key
    .refine((value) => value !== maskedKey, {
      error: "is required: a Braze REST API key with users.track; *** stands for a stored one",
    })
    .meta({ pattern: "^(?!\\*{3}$)[!-~]+$" });

const segment = segmentIdSchema.describe("The segment's id in SegOps.");
const connectorType = z.literal("braze", { error: 'must be "braze"' });

/** What only we set. A client that reads, changes and writes back sends it along; it is let be. */
const readOnlyFields = Object.fromEntries(
  [
    "id",
    "tenant_slug",
    "segment_name",
    "last_synced_at",
    "last_error",
    "last_error_code",
    "member_count",
    "channels",
    "pending_removal",
    "current_run",
    "last_run",
  ].map((name) => [name, z.unknown().optional().meta({ readOnly: true })]),
);

/** The three bodies that write a connector. `allowedOrigins`: Braze hosts beside Braze's own. */
export function writeSchemas(allowedOrigins: readonly string[]) {
  const shape = configShape(allowedOrigins);
  const whole = { ...shape, api_key: newKey(shape.api_key) };
  const change = {
    ...shape,
    rest_endpoint: shape.rest_endpoint.optional(),
    api_key: shape.api_key.optional(),
  };
  return {
    /** SegOps' own create request. */
    create: strict({ segment, connector_type: connectorType, config: strict(whole, "field") }, "field"),
    /** Any part of it; a field of `config` left out keeps its stored value, null returns it to its default. */
    patch: strict(
      {
        ...readOnlyFields,
        segment: segment.optional(),
        connector_type: connectorType.optional(),
        status: statusChangeSchema.optional(),
        config: strict(change, "field").optional(),
      },
      "field",
    ),
    /** The whole configuration: what is left out returns to its default, `***` keeps the stored key. */
    put: strict(
      {
        ...readOnlyFields,
        segment: segment.optional(),
        connector_type: connectorType.optional(),
        status: statusChangeSchema.optional(),
        config: strict(shape, "field"),
      },
      "field",
    ),
  };
}
export type WriteSchemas = ReturnType<typeof writeSchemas>;

/** Every field that a PUT may leave out, as a change that returns it to its default. */
export function replacement(config: z.infer<WriteSchemas["put"]>["config"]) {
  const defaults = Object.fromEntries(Object.keys(defaultOptions(1)).map((field) => [field, null]));
  return { ...defaults, segment_id: null, ...config };
}
