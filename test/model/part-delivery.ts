import type { PartFate } from "./ledger-rules.ts";
import { PartAttempt } from "./part-attempt.ts";
import type { Call, Ending, PartJob } from "./part-attempt.ts";
import { Signal } from "./simulated-time.ts";
import type { Process } from "./simulated-time.ts";
import type { World } from "./world.ts";

const heartbeatTimeoutMs = 15_000;
const mostAttempts = 8;

export interface DeliveredPart {
  fate: Exclude<PartFate, string>;
  ending: Ending | "lost";
}

/**
 * A part from Temporal's side: attempt after attempt, each from the last heartbeat of the one before, until one says it is done,
 * or that no other can help, or the run is cut short. An attempt that fell silent is given up, and may yet live.
 */
export function* deliverPart(world: World, job: PartJob): Process<DeliveredPart> {
  const { choices, weather, time } = world;
  let heartbeat = { cursor: 0, attempted: 0, rejects: {} } as Call["heartbeat"];
  let lost = false;
  for (let attempt = 1; ; attempt += 1) {
    const call: Call = { attempt, heartbeat, silent: false, changed: new Signal() };
    time.begin(new PartAttempt(world, job, call, lost).run());
    yield* untilEnded(call);
    const { ending } = call;
    ({ heartbeat } = call);
    // From here on nothing that it says is heard.
    lost = ending === undefined;
    const isCut = attempt >= mostAttempts || choices.chance(weather.cutShort);
    if (ending === "done" || ending === "final" || isCut) {
      return { fate: { ...heartbeat, reported: !lost }, ending: ending ?? "lost" };
    }
    yield 1_000 * attempt;
  }
}

function* untilEnded(call: Call): Process {
  while (call.ending === undefined) {
    if (!call.silent) {
      yield call.changed;
      continue;
    }
    yield { signal: call.changed, ms: heartbeatTimeoutMs };
    if (call.silent) return;
  }
}
