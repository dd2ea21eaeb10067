import type { Direction } from "../contracts/channel.ts";
import type { BrazeRequest } from "./request.ts";

/** POST /v2/subscription/status/set for up to 50 users of one group: `entered` subscribes them, `exited` unsubscribes them. */
export function subscriptionStatusRequest(
  userIds: readonly string[],
  { groupId, direction }: { groupId: string; direction: Direction },
): BrazeRequest {
  const group = {
    subscription_group_id: groupId,
    subscription_state: direction === "entered" ? "subscribed" : "unsubscribed",
    external_ids: userIds,
  };
  return {
    limiter: "subscription",
    path: "/v2/subscription/status/set",
    body: JSON.stringify({ subscription_groups: [group] }),
    userIds,
  };
}
