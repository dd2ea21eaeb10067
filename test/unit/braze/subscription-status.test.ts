import { expect, test } from "vitest";
import { subscriptionStatusRequest } from "../../../src/braze/subscription-status.ts";

test.each([
  ["entered", "subscribed"],
  ["exited", "unsubscribed"],
] as const)("a subscription batch sets users who %s to %s through the v2 path", (direction, state) => {
  const request = subscriptionStatusRequest(["a", "b"], { groupId: "g-1", direction });
  expect(request).toMatchObject({
    path: "/v2/subscription/status/set",
    limiter: "subscription",
    userIds: ["a", "b"],
  });
  expect(request.body).toBe(
    `{"subscription_groups":[{"subscription_group_id":"g-1","subscription_state":"${state}","external_ids":["a","b"]}]}`,
  );
});
