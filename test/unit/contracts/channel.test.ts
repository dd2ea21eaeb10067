import { expect, test } from "vitest";
import {
  attributeChannel,
  channelSchema,
  parseChannel,
  subscriptionGroupChannel,
} from "../../../src/contracts/channel.ts";

test.each([
  [attributeChannel("segops_segment_7"), { kind: "attribute", attributeName: "segops_segment_7" }],
  [subscriptionGroupChannel("a:b"), { kind: "subscription_group", groupId: "a:b" }],
])("%s is a channel and is read back as what it was made of", (channel, target) => {
  expect(channelSchema.parse(channel)).toBe(channel);
  expect(parseChannel(channel)).toEqual(target);
});

test.each(["", "attribute", "attribute:", "segment:7", 7])("%j is no channel", (text) => {
  expect(channelSchema.safeParse(text).success).toBe(false);
});
