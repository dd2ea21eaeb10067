import type { Channel } from "../contracts/channel.ts";
import type { Commit, FileRef } from "../contracts/log.ts";
import { areFilesKept } from "./kept-files.ts";
import type { ConnectorLog } from "./log.ts";
import { hasWritten } from "./recent-writes.ts";

/** What runs wrote to one channel that closed longer ago than the quiet window: Braze has applied it, or never will. */
export interface SettledWrites {
  /** The newest such run; 0 where there is none. */
  through: number;
  entered: FileRef[];
  exited: FileRef[];
}

/** Runs looked back at: where verification was off for longer, what was written before that stays unlooked at. */
const maxRuns = 50;

/** Those of the runs before `number` and after `from`, newest first. */
export async function settledWrites(
  log: ConnectorLog,
  { number, from, at, windowMs, channel }: SettledWritesInput,
): Promise<SettledWrites> {
  let writes: SettledWrites = { through: 0, entered: [], exited: [] };
  const quietFrom = Date.parse(at) - windowMs;
  const last = Math.max(from, number - 1 - maxRuns);
  for (let run = number - 1; run > last; run--) {
    const commit = await log.commit(run);
    // Commits are not quite in the order of their times: what comes after one that is too young waits with it.
    if (!commit || Date.parse(commit.at) > quietFrom) {
      writes = { through: 0, entered: [], exited: [] };
      continue;
    }
    // Parts that a clean-up may have taken are not asked for: they would read as missing.
    if (!areFilesKept(commit, { runsSince: number - 1 - run, at })) break;
    writes.through ||= run;
    const plan = hasWritten(commit) ? await log.plan(run) : undefined;
    const planned = plan?.channels.find((candidate) => candidate.channel === channel);
    for (const { direction, parts } of planned?.deltas ?? []) writes[direction].push(...parts);
  }
  return writes;
}

interface SettledWritesInput {
  number: number;
  from: number;
  at: string;
  windowMs: number;
  channel: Channel;
}

/** The newest run whose writes need no look any more, as the commit before says. */
export function verifiedThrough(previous: Commit | undefined): number {
  return previous?.verified_through ?? 0;
}
