import type { Direction } from "../../src/contracts/channel.ts";
import type { Commit, Plan } from "../../src/contracts/log.ts";
import type { TestConnector } from "../integration/test-connector.ts";
import type { ReleaseEvidence } from "./evidence.ts";
import type { LedgerFiles } from "./ledger-files.ts";

/** So many exits go out whatever share they are, and beyond them the share that the configuration says. */
const freeExits = 100;

/**
 * Exits that a plan let go although the commit before it held them, channel by channel. One whose target is empty (a removal with
 * cleanup, a channel taken out) needs nobody's approval.
 */
export async function gatherReleases(
  { log }: TestConnector,
  plan: Plan,
  before: Commit,
  moves: ReadonlyMap<string, ReadonlyMap<string, Direction>>,
  files: LedgerFiles,
): Promise<ReleaseEvidence[]> {
  const maxPercent = (await log.config(plan.config_number))?.config.max_removal_percent ?? 0;
  const releases: ReleaseEvidence[] = [];
  for (const { channel, target } of plan.channels) {
    const ledger = before.channels.find((candidate) => candidate.channel === channel);
    const held = await files.held(ledger?.exceptions);
    if (!ledger || target === "empty" || held.size === 0) continue;
    const released = [...held.keys()].filter((user) => moves.get(channel)?.get(user) === "exited");
    const audience = ledger.counts.delivered + ledger.counts.unknown;
    releases.push({
      channel,
      released,
      approved: await approvedIn(log, channel, ledger.config_number, plan.config_number, files),
      most: Math.max(freeExits, (audience * maxPercent) / 100),
    });
  }
  return releases;
}

/** Whom a person let go since the channel was last planned: a run that acts on an approval has used it up. */
async function approvedIn(
  log: TestConnector["log"],
  channel: string,
  after: number,
  last: number,
  files: LedgerFiles,
): Promise<Set<string>> {
  const approved = new Set<string>();
  for (let number = after + 1; number <= last; number++) {
    const sets = (await log.config(number))?.approved?.sets ?? [];
    for (const set of sets.filter((candidate) => candidate.channel === channel)) {
      for (const user of await files.users([set.file])) approved.add(user);
    }
  }
  return approved;
}
