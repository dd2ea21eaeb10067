import { z } from "zod";
import { connectorKeySchema } from "./connector-id.ts";

/** A field that is read where it is what SegOps sends, and counts as missing otherwise: the webhook itself already says "look". */
const leniently = (example: string | number, words: string) =>
  z
    .unknown()
    .optional()
    .meta({ examples: [example] })
    .describe(words);

/** SegOps' webhook body, as its page shows it. Only what names the connector must be there; what is more is not kept. */
export const webhookSchema = z
  .looseObject({
    event: leniently("segment.recomputed", "Any other event is ignored."),
    ...connectorKeySchema.shape,
    segment_name: leniently("High LTV Buyers", "Text."),
    member_count: leniently(3482, "A whole number."),
    computed_at: leniently(
      "2026-05-02T14:32:00Z",
      "ISO 8601. Replayed and out-of-order deliveries do nothing.",
    ),
  })
  .meta({ id: "SegmentRecomputed" });
