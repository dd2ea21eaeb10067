import { setTimeout as delay } from "node:timers/promises";
import type { Fault, FaultOrder } from "../../braze/faults.ts";
import type { Act, Claim, Played } from "../act.ts";
import { ids } from "../people.ts";
import { count } from "../story.ts";
import { arrived, type World } from "../world.ts";

const entering = 20_000;
const exiting = ids("user-", 10_000, 4000);
const users = entering + exiting.length;
/** The worker dies when this share of the users has arrived. */
const killAtShare = 0.3;

/** Each strikes now and then, so often at most. Where Braze applied what it then gave no good answer to, nobody can know it. */
const faults: FaultOrder[] = [
  { kind: "429", retryAfterSeconds: 1, probability: 0.02, times: 4, seed: 1 },
  { kind: "503", applied: false, probability: 0.04, times: 8, seed: 2 },
  { kind: "503", applied: true, probability: 0.04, times: 8, seed: 3 },
  { kind: "reset_before", probability: 0.03, times: 6, seed: 4 },
  { kind: "reset_after", probability: 0.03, times: 6, seed: 5 },
  { kind: "truncated_201", probability: 0.03, times: 6, seed: 6 },
];

/** What befell the act, as it was seen from outside. */
interface Trouble {
  arrivedAtKill: number;
  /** The run had its plan in the log, and no commit. */
  wasRunOpen: boolean;
  faults: Fault[];
}

export const brazeFailing: Act = {
  title: "Braze fails, and the worker is killed",
  story: `${count(entering)} people enter and ${count(exiting.length)} exit while Braze misbehaves: it asks to wait (429), answers 503 \
before or after it has applied a request, drops connections, cuts answers short. In the middle of it the worker is killed with SIGKILL, \
and another one is started. It goes on when Temporal has missed the dead one's heartbeats for 15 seconds.`,
  async play(world) {
    const { braze } = world.stack;
    const before = arrived(await world.brazeStats());
    const runsBefore = (await world.runsAfter(0)).length;
    // Slow enough for the kill to strike in the middle.
    await braze.putWorkspace({ key: world.brazeKey, answerDelayMs: 150 });
    for (const fault of faults) await braze.addFault({ ...fault, path: "/users/track" });
    const { computedAt } = await world.recompute({
      exit: exiting,
      enterGenerate: { count: entering, prefix: "late-" },
    });
    await arrival(world, before + users * killAtShare);
    await world.killWorker();
    const arrivedAtKill = arrived(await world.brazeStats()) - before;
    const open = (await world.runsAfter(runsBefore)).at(-1);
    const wasRunOpen = open?.plan !== undefined && open.commit === undefined;
    world.story.say(`The worker is killed: ${count(arrivedAtKill)} of ${count(users)} users have arrived.`);
    await world.startWorker();
    world.story.say("Another worker is there, and waits for the dead one's work to be given up.");
    await world.delivered(computedAt, users, before);
    const trouble = { arrivedAtKill, wasRunOpen, faults: await braze.faults() };
    await braze.clearFaults();
    await braze.putWorkspace({ key: world.brazeKey, answerDelayMs: 30 });
    return (played) => claims(trouble, played);
  },
};

function claims(
  { arrivedAtKill, wasRunOpen, faults: met }: Trouble,
  { entered, exited, resent }: Played,
): Claim[] {
  const struck = met.reduce((sum, fault) => sum + fault.struck, 0);
  return [
    {
      says: `the kill struck in mid-run, at ${count(arrivedAtKill)} of ${count(users)} users`,
      holds: wasRunOpen && arrivedAtKill > 0 && arrivedAtKill < users,
    },
    {
      says: `${struck} faults struck: ${met.map(faultWords).join(", ")}`,
      holds: met.length === faults.length && met.every((fault) => fault.struck > 0),
    },
    {
      says: `${count(resent)} requests were sent again with the same bytes, which does no harm`,
      holds: resent > 0,
    },
    {
      says: `${count(entered)} entered and ${count(exited)} exited`,
      holds: entered === entering && exited === exiting.length,
    },
  ];
}

function faultWords({ kind, applied, struck }: Fault): string {
  const when = kind === "503" ? (applied ? " after applying" : " before applying") : "";
  return `${struck} × ${kind.replaceAll("_", " ")}${when}`;
}

async function arrival(world: World, wanted: number): Promise<void> {
  world.waitingFor = "the run to be in its middle";
  while (arrived(await world.brazeStats()) < wanted) await delay(50);
}
