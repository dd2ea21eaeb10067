import type { SendPartInput, SentPart } from "../contracts/run.ts";
import type { ActivityDeps } from "./deps.ts";
import { sendPart } from "./send-part.ts";
import { attributeRequests } from "./track-entered.ts";

/**
 * Takes the attribute from users who left: one part of the delta. It never creates a user. See `sendPart` for its promise
 * and attempt 2.
 */
export function createUnsetExited(deps: ActivityDeps) {
  return (input: SendPartInput): Promise<SentPart> => sendPart(deps, input, attributeRequests(input));
}
