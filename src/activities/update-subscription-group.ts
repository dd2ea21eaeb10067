import { subscriptionStatusRequest } from "../braze/subscription-status.ts";
import { parseChannel } from "../contracts/channel.ts";
import { CodedError } from "../contracts/errors.ts";
import type { SendPartInput, SentPart } from "../contracts/run.ts";
import type { ActivityDeps } from "./deps.ts";
import { sendPart } from "./send-part.ts";

/**
 * Subscribes users who entered to the group, unsubscribes those who left: one part of the delta. See `sendPart` for its
 * promise and attempt 2. Braze gives no answer per user here, so nobody is rejected by name.
 */
export function createUpdateSubscriptionGroup(deps: ActivityDeps) {
  return (input: SendPartInput): Promise<SentPart> => {
    const target = parseChannel(input.channel);
    if (target.kind !== "subscription_group")
      throw new CodedError("log_unreadable", `${input.channel} is no group`);
    const { groupId } = target;
    const { direction } = input;
    return sendPart(deps, input, (userIds) => subscriptionStatusRequest(userIds, { groupId, direction }));
  };
}
