import type { Act, Claim, Played } from "../act.ts";
import { blockedIds, oddIds, overlongId } from "../people.ts";
import { count } from "../story.ts";
import { connector } from "../world.ts";

const members = 50_000;
const oddMembers = [...oddIds, ...blockedIds, overlongId];
const usersPerRequest = 75;

export const firstLoad: Act = {
  title: "First load",
  story: `A connector is created for the segment "High LTV Buyers" and switched on. SegOps computes the segment, ${count(members)} \
people, and its webhook wakes the connector, which writes them all to Braze. Some have odd ids (quotes, emoji, spaces, a line break, \
900 bytes), and ${blockedIds.length + 1} are such that Braze rejects them.`,
  async play(world) {
    const { stack } = world;
    // As far away as a real Braze.
    await stack.braze.putWorkspace({ key: world.brazeKey, blockedIds: [...blockedIds], answerDelayMs: 30 });
    await stack.segops.putSegment(connector.tenant_slug, connector.segment_id, {
      name: "High LTV Buyers",
      members: oddMembers,
      generate: { count: members - oddMembers.length, prefix: "user-" },
    });
    const keyFile = await world.brazeKeyFile("braze-key.txt");
    const settings = ["--rest-endpoint", stack.brazeUrl, "--api-key-file", keyFile];
    await world.command("connector", "create", "acme/7", ...settings, "--activate");
    const { computedAt } = await world.recompute();
    await world.delivered(computedAt, members);
    return claims;
  },
};

function claims({ entered, rejected, requests, resent }: Played): Claim[] {
  const fewest = Math.ceil(members / usersPerRequest);
  return [
    {
      says: `${count(entered)} users entered; ${rejected} were rejected, and are listed with the reason`,
      holds: entered === members - rejected && rejected === blockedIds.length + 1,
    },
    {
      says: `${count(requests)} requests of up to ${usersPerRequest} users; the fewest that could do is ${count(fewest)}`,
      // A part that is no multiple of 75 ends with a smaller request.
      holds: requests >= fewest && requests <= fewest * 1.01 && resent === 0,
    },
  ];
}
