import { z } from "zod";

/** One thing written in Braze: `attribute:<name>` or `subscription_group:<id>`. */
export const channelSchema = z.string().regex(/^(attribute|subscription_group):.+$/);
export type Channel = z.infer<typeof channelSchema>;

export type ChannelTarget =
  | { kind: "attribute"; attributeName: string }
  | { kind: "subscription_group"; groupId: string };

export function attributeChannel(attributeName: string): Channel {
  return `attribute:${attributeName}`;
}

export function subscriptionGroupChannel(groupId: string): Channel {
  return `subscription_group:${groupId}`;
}

export function parseChannel(channel: Channel): ChannelTarget {
  const at = channel.indexOf(":");
  const name = channel.slice(at + 1);
  return channel.startsWith("attribute:")
    ? { kind: "attribute", attributeName: name }
    : { kind: "subscription_group", groupId: name };
}

/** Which way a delta goes: `entered` users are written as members, `exited` users are unset. */
export const directionSchema = z.enum(["entered", "exited"]);
export type Direction = z.infer<typeof directionSchema>;

/** Users per request at most: 75 objects for /users/track, 50 ids for subscription status (reference: Braze API, sections 1.4 and 2.2). */
export const maxTrackBatchSizeUsers = 75;
export const subscriptionBatchSizeUsers = 50;

/** The longest external id that Braze takes, in UTF-8 bytes (reference: Braze API, section 5.1). */
export const maxUserIdBytes = 987;
