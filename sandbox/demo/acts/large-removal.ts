import type { Act, Claim, Played } from "../act.ts";
import { ids } from "../people.ts";
import { count } from "../story.ts";
import { arrived } from "../world.ts";

const entering = 500;
/** 60 % of the members by then; others are left for the acts to come. */
const exiting = [...ids("user-", 14_000, 6000), ...ids("user-", 20_500, 24_600)];

export const largeRemoval: Act = {
  title: "A recompute that would remove 60 %",
  story: `Something goes wrong upstream, it seems: SegOps computes the segment, and ${count(exiting.length)} people are gone from it \
at once, while ${count(entering)} enter. Who enters is written. The exits are held, and a person decides.`,
  async play(world) {
    const before = arrived(await world.brazeStats());
    await world.recompute({ exit: exiting, enterGenerate: { count: entering, prefix: "beside-" } });
    const { pending_removal: held } = await world.look(
      { until: "the exits to be held", users: entering, sentBefore: before },
      ({ last_run: run, current_run }) => !current_run && run?.outcome === "held",
    );
    const written = arrived(await world.brazeStats()) - before;
    const card = await world.command("connector", "show", "acme/7");
    for (const line of card.split("\n"))
      if (/ (exits|approve-removal) /.test(line)) world.story.say(line.trim());
    world.story.say("Somebody looks, finds that so many are to leave, and does that:");
    await world.command("connector", "approve-removal", "acme/7", "--digest", held?.digest ?? "none");
    await world.look(
      { until: "the approved exits to be delivered", users: exiting.length, sentBefore: before + written },
      ({ last_run: run, current_run }) => !current_run && run?.outcome === "clean",
    );
    return (played) => claims(held?.users ?? 0, written, played);
  },
};

function claims(held: number, written: number, { entered, exited, outcomes }: Played): Claim[] {
  return [
    {
      says: `${count(held)} exits were held, and meanwhile ${count(written)} users were written: those who entered`,
      holds: held === exiting.length && written === entering && entered === entering,
    },
    {
      says: `approved, exactly those ${count(exited)} exited (runs: ${outcomes.join(", ")})`,
      holds: exited === exiting.length && outcomes.join() === "held,clean",
    },
  ];
}
