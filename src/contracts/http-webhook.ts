import { z } from "zod";
import { connectorKeySchema } from "./connector-id.ts";

/** SegOps' webhook body, as its page shows it. Only what names the connector must be there; what is more is not kept. */
export const webhookSchema = z
  .looseObject({
    event: z.string().optional().describe("segment.recomputed; any other event is ignored."),
    ...connectorKeySchema.shape,
    segment_name: z.string().nullish(),
    member_count: z.int().min(0).nullish(),
    computed_at: z.string().nullish().describe("ISO 8601. Replayed and out-of-order deliveries do nothing."),
  })
  .meta({ id: "SegmentRecomputed" });
