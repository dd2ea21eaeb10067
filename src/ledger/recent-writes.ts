import { CodedError } from "../contracts/errors.ts";
import type { Channel } from "../contracts/channel.ts";
import type { Commit, Plan } from "../contracts/log.ts";
import { comparableTime } from "./exceptions.ts";
import type { ConnectorLog } from "./log.ts";
import type { RecentWrites } from "./quiet.ts";

/**
 * What the runs before `number` wrote, by channel, as far as they closed later than `windowMs` before `at`. A run that sent
 * nothing wrote nothing, whatever it had planned. Throws `log_unreadable` where the plan of one that sent is missing.
 */
export async function recentWrites(
  log: ConnectorLog,
  { number, at, windowMs }: { number: number; at: string; windowMs: number },
): Promise<(channel: Channel) => RecentWrites[]> {
  const runs: { until: string; plan: Plan; commit: Commit }[] = [];
  const from = Date.parse(at) - windowMs;
  for (let before = number; before > 1; before--) {
    const commit = await log.commitBefore(before);
    // Commits are not quite in the order of their times; twice the window leaves room.
    if (!commit || Date.parse(commit.at) <= from - windowMs) break;
    if (Date.parse(commit.at) <= from) continue;
    const plan = hasWritten(commit) ? await log.plan(commit.number) : undefined;
    // Without its plan nobody knows whom it wrote, and so whom to leave alone. Only 0.1.0 wrote commits that do not say.
    if (!plan && commit.sent) throw new CodedError("log_unreadable", `the plan of run ${commit.number}`);
    const until = comparableTime(new Date(Date.parse(commit.at) + windowMs).toISOString());
    if (plan) runs.push({ until, plan, commit });
  }
  return (channel) => runs.map((run) => writesTo(channel, run)).filter(({ parts }) => parts.length > 0);
}

/** Whether a run may have written anybody; one that did not left the ledger as it was. */
export function hasWritten({ sent, counts }: Commit): boolean {
  return sent ?? (counts.requests > 0 || counts.unknown > 0);
}

function writesTo(
  channel: Channel,
  { until, plan, commit }: { until: string; plan: Plan; commit: Commit },
): RecentWrites {
  const deltas = plan.channels.find((planned) => planned.channel === channel)?.deltas ?? [];
  const ledger = commit.channels.find((settled) => settled.channel === channel);
  return { until, parts: deltas.flatMap((delta) => delta.parts), exceptions: ledger?.exceptions ?? null };
}
