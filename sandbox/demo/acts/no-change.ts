import type { Act, Claim, Played } from "../act.ts";

export const noChange: Act = {
  title: "A recompute that changes nothing",
  story: `SegOps computes the segment again, and the same people are in it. The connector looks, finds nothing to write, and leaves \
Braze alone.`,
  async play(world) {
    const { computedAt } = await world.recompute();
    await world.delivered(computedAt, 0);
    return claims;
  },
};

function claims({ requests, outcomes }: Played): Claim[] {
  return [
    { says: `${requests} requests were sent`, holds: requests === 0 },
    { says: `the run is in the log as ${outcomes.join(", ")}`, holds: outcomes.join() === "no_change" },
  ];
}
