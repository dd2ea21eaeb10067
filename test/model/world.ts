import { BrazeModel } from "./braze-model.ts";
import type { Choices } from "./choices.ts";
import { isoTime } from "./ledger-rules.ts";
import type { Rules } from "./rule-sets.ts";
import { RunLog } from "./run-log.ts";
import { SimulatedTime } from "./simulated-time.ts";
import { drawWeather } from "./weather.ts";
import type { Weather } from "./weather.ts";

/** What everybody in a history shares. */
export interface World {
  rules: Rules;
  choices: Choices;
  weather: Weather;
  time: SimulatedTime;
  log: RunLog;
  braze: BrazeModel;
  /** Whom SegOps says are members, as of the last recompute. */
  segops: Set<string>;
  /** Absent where nobody listens, so that no line is made. */
  trace?: ((line: string) => void) | undefined;
}

const startMs = Date.parse("2026-05-02T14:00:00.000Z");

/** `print` hears what happens, with the time. */
export function newWorld(rules: Rules, choices: Choices, print?: (line: string) => void): World {
  const time = new SimulatedTime();
  const trace = print
    ? (line: string) => print(`${(time.now / 1000).toFixed(1).padStart(9)} s  ${line}`)
    : undefined;
  const weather = drawWeather(choices);
  const braze = new BrazeModel({ time, choices, weather, trace });
  return { rules, choices, weather, time, log: new RunLog(), braze, segops: new Set(), trace };
}

/** The time as a clock shows it that is `skewMs` fast. */
export function clockTime({ time }: World, skewMs: number): string {
  return isoTime(startMs + time.now + skewMs);
}

/** How long until a clock that is `skewMs` fast shows this; 0 where it does already. */
export function msUntil({ time }: World, at: string, skewMs: number): number {
  return Math.max(0, Date.parse(at) - startMs - time.now - skewMs);
}
