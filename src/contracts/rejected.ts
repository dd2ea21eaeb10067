import { z } from "zod";
import { channelSchema } from "./channel.ts";

/** Why Braze rejects users, counted: `GET …/rejected/`. It names nobody; one user's reason is in the timeline. */
export const rejectedReasonsSchema = z.object({
  results: z.array(
    z.object({
      channel: channelSchema,
      /** A code of the error table. */
      reason: z.string(),
      users: z.int().positive(),
    }),
  ),
});
export type RejectedReasons = z.infer<typeof rejectedReasonsSchema>;
