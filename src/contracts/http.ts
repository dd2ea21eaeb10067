import { z } from "zod";
import { segmentIdSchema } from "./connector-id.ts";
import { defaultExplainedRuns, maxExplainedRuns } from "./explain.ts";
import { connectorStatuses } from "./view.ts";

/** SegOps' Activations API on the wire: what a call may carry. The answers are in http-answers.ts. */

/** Rows on one page, unless told otherwise and at most. */
const defaultPageSize = 20;
const maxPageSize = 100;

/** The largest body of a call: some thirty times the largest configuration. */
export const maxBodyBytes = 65_536;

/** Names what is known, because a misspelt `cleanup` or `page_size` would otherwise be followed as if it were not there. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape, what: string) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `unknown ${what}; known are ${Object.keys(shape).join(", ") || "none"}`
        : "must be a JSON object",
  });
}

const wholeNumberText = (max: number, words: string) =>
  z
    .string({ error: words })
    .regex(/^[0-9]{1,9}$/, { error: words })
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, { error: words })
    .meta({ type: "integer", minimum: 1, maximum: max });

const pageFields = {
  page: wholeNumberText(999_999_999, "must be a whole number from 1")
    .default(1)
    .describe("Which page, from 1."),
  page_size: wholeNumberText(maxPageSize, `must be a whole number from 1 to ${maxPageSize}`)
    .default(defaultPageSize)
    .describe("How many to a page."),
};

export const pageQuerySchema = strict(pageFields, "query parameter");

const statusWords = z.enum(connectorStatuses, { error: "must be inactive, active or error" });

export const listQuerySchema = strict(
  { ...pageFields, status: statusWords.optional().describe("Only connectors of this status.") },
  "query parameter",
);

export const deleteQuerySchema = strict(
  {
    cleanup: z
      .enum(["true", "false"], { error: "must be true or false" })
      .optional()
      .describe("true: everyone is unset in Braze before the connector goes, which is after the answer."),
  },
  "query parameter",
);

export const noQuerySchema = strict({}, "query parameter");

export const explainQuerySchema = strict(
  {
    user_id: z
      .string({ error: "is required: the user's id as SegOps knows it" })
      .min(1, { error: "must not be empty: the user's id as SegOps knows it" })
      .max(1000, { error: "must be at most 1000 characters" })
      .describe("The user's id as SegOps knows it."),
    limit: wholeNumberText(maxExplainedRuns, `must be a whole number from 1 to ${maxExplainedRuns}`)
      .default(defaultExplainedRuns)
      .describe("How many runs."),
    before: wholeNumberText(999_999_999, "must be the number of a run, as next_before tells it")
      .optional()
      .describe("Only runs of a lower number, to read on."),
  },
  "query parameter",
);

/** An id that can be no connector's is one that is not found. */
export const activationParamsSchema = z.object({
  id: z
    .string()
    .regex(/^[1-9][0-9]{0,15}$/)
    .transform(Number)
    .pipe(segmentIdSchema)
    .meta({ type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
    .describe("The connector's id, which is its segment's."),
});

export const approvalSchema = strict(
  {
    digest: z
      .string({ error: "is required: the digest that the connector shows under pending_removal" })
      .regex(/^[0-9a-f]{64}$/, {
        error: "must be the 64 hex digits that the connector shows under pending_removal",
      }),
  },
  "field",
);

/** On every POST that creates or starts something. */
export const idempotencyHeadersSchema = z.looseObject({
  "idempotency-key": z
    .string()
    .regex(/^[!-~]{1,255}$/, { error: "must be 1 to 255 visible ASCII characters, such as a UUID" })
    .optional()
    .describe(
      "The same key and request replay the first answer for 24 hours; another request under it is refused: 409.",
    ),
});

/** Calls without a body take an empty one, or an empty object. */
export const emptyBodySchema = strict({}, "field").nullish();

export const statusChangeSchema = z.enum(["active", "inactive"], { error: "must be active or inactive" });
