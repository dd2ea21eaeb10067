import { trackRequest } from "../braze/track.ts";
import { parseChannel } from "../contracts/channel.ts";
import { CodedError } from "../contracts/errors.ts";
import type { SendPartInput, SentPart } from "../contracts/run.ts";
import type { ActivityDeps } from "./deps.ts";
import { sendPart, type RequestFor } from "./send-part.ts";

/** Sets the attribute for users who entered: one part of the delta. See `sendPart` for its promise and attempt 2. */
export function createTrackEntered(deps: ActivityDeps) {
  return (input: SendPartInput): Promise<SentPart> => sendPart(deps, input, attributeRequests(input));
}

/** The /users/track requests of an attribute channel, whichever way its delta goes. */
export function attributeRequests({ channel, direction }: SendPartInput): RequestFor {
  const target = parseChannel(channel);
  if (target.kind !== "attribute") throw new CodedError("log_unreadable", `${channel} is no attribute`);
  const { attributeName } = target;
  return (userIds, config) => trackRequest(userIds, { ...config, attributeName, direction });
}
