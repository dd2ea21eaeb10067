import type { Act, Claim, Played } from "../act.ts";
import { ids, oddIds } from "../people.ts";
import { count } from "../story.ts";

const entering = 3000;
/** Odd ones among them: they must be found again in Braze, byte for byte, to be taken out. */
const exiting = [...ids("user-", 0, 2000), ...oddIds.slice(0, 5)];

export const delta: Act = {
  title: "Some enter, some exit",
  story: `The segment changes: ${count(entering)} people enter and ${count(exiting.length)} exit. The connector compares the new \
membership with what it knows Braze to hold, and writes the difference alone.`,
  async play(world) {
    const { computedAt } = await world.recompute({
      exit: [...exiting],
      enterGenerate: { count: entering, prefix: "new-" },
    });
    await world.delivered(computedAt, entering + exiting.length);
    return claims;
  },
};

function claims({ entered, exited, requests }: Played): Claim[] {
  return [
    {
      says: `exactly those ${count(entered)} entered and ${count(exited)} exited`,
      holds: entered === entering && exited === exiting.length,
    },
    {
      says: `${count(requests)} requests, for two directions of up to 75 users each`,
      holds: requests === Math.ceil(entering / 75) + Math.ceil(exiting.length / 75),
    },
  ];
}
