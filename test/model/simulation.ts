import type { Choices } from "./choices.ts";
import { ConnectorInstance } from "./connector-instance.ts";
import { isRejected } from "./ledger-rules.ts";
import type { Rules } from "./rule-sets.ts";
import type { Process } from "./simulated-time.ts";
import { newWorld } from "./world.ts";
import type { World } from "./world.ts";

const users = ["ann", "bob", "cid", "dot", "eve"];
const recomputes = 9;
const blocked = "braze_user_blocked";
const hourMs = 3_600_000;
/** Histories take some hundreds of steps; one that takes so many never comes to rest. */
const mostSteps = 50_000;

export interface Verdict {
  /** Users of whom Braze says, long after all trouble is over, what SegOps does not, and whom no exception names. */
  wrong: string[];
  /** How often an older run's value was applied over a newer run's. */
  overwritten: number;
  /** Everything that chance decided. */
  choices: readonly number[];
}

/** One history: a few hours of recomputes and faults, then quiet until nothing moves any more. */
export function runHistory(rules: Rules, choices: Choices, print?: (line: string) => void): Verdict {
  const world = newWorld(rules, choices, print);
  world.time.begin(course(world));
  world.time.run(mostSteps);
  const wrong = users.filter((user) => isWrong(world, user));
  world.trace?.(`the end: SegOps ${list(world.segops)}; Braze ${list(world.braze.members)}`);
  return { wrong, overwritten: world.braze.overwritten, choices: choices.taken };
}

function isWrong({ rules, log, braze, segops }: World, user: string): boolean {
  const exception = log.ledgerBefore(log.end().number + 1).exceptions.get(user);
  const isBlocked = braze.rejecting.get(user) === blocked;
  if (exception) return !isRejected(exception) || !isBlocked;
  // A naive ledger names nobody; what Braze will never take is not held against it.
  if (rules.naive && isBlocked) return false;
  return braze.members.has(user) !== segops.has(user);
}

function* course(world: World): Process {
  const { choices, weather, time, braze, segops, trace } = world;
  const instances: ConnectorInstance[] = [];
  const start = () => {
    const isElsewhere = (number: number) => instances.some((each) => each.planless === number);
    instances.push(new ConnectorInstance(world, `connector ${"ABCDEFGHIJ"[started++]}`, isElsewhere));
  };
  let started = 0;
  start();
  for (let round = 0; round < recomputes; round += 1) {
    yield choices.duration(10_000, choices.chance(6) ? 600_000 : 60_000, 10_000);
    const before = list(segops);
    flap(world);
    trouble(world);
    if (choices.chance(weather.restart)) {
      if (choices.chance(2)) instances.pop()?.die();
      start();
    }
    trace?.(`recompute: ${before === list(segops) ? "no change" : list(segops)}`);
    for (const each of instances) if (each === instances.at(-1) || choices.chance(2)) each.recompute();
  }
  yield choices.duration(0, 300_000, 10_000);
  trace?.("quiet");
  choices.calm();
  for (const [user, code] of braze.rejecting) if (code !== blocked) braze.rejecting.delete(user);
  for (const each of instances.splice(0, instances.length - 1)) each.die();
  yield hourMs;
  trace?.(`a last recompute, at ${time.now / 1000} s`);
  instances[0]?.recompute();
}

/** Any of the users may enter or leave. */
function flap({ choices, segops }: World): void {
  const mask = choices.pick(2 ** users.length);
  for (const [index, user] of users.entries()) {
    if ((mask & (1 << index)) === 0) continue;
    if (!segops.delete(user)) segops.add(user);
  }
}

/** Braze begins to reject somebody, or does no longer. */
function trouble({ choices, weather, braze, trace }: World): void {
  if (!choices.chance(weather.rejection)) return;
  const user = users[choices.pick(users.length)] ?? "";
  if (braze.rejecting.has(user)) {
    if (braze.rejecting.get(user) !== blocked) braze.rejecting.delete(user);
    return;
  }
  const code = choices.chance(4) ? blocked : "braze_user_rejected";
  braze.rejecting.set(user, code);
  trace?.(`Braze rejects ${user} from now on: ${code}`);
}

function list(members: ReadonlySet<string>): string {
  return [...members].sort().join(" ") || "nobody";
}
