import { createHash } from "node:crypto";
import type { Channel } from "../contracts/channel.ts";
import type { ChannelPlan, ConfigEntry, FileRef, LedgerRef, PendingRemoval } from "../contracts/log.ts";
import type { FetchedMembership } from "../contracts/run.ts";
import type { ConnectorLog } from "../ledger/log.ts";
import type { RemovalGuard } from "../ledger/removal-guard.ts";

/** Each channel's guard: what it holds now, and the exits that a person has let go since it was last written to. */
export async function removalGuards(
  log: ConnectorLog,
  { number, config }: ConfigEntry,
  ledgers: readonly LedgerRef[],
  membership: FetchedMembership | null,
): Promise<(channel: Channel) => RemovalGuard> {
  const approvals = await approvalsSince(log, number, ledgers);
  return (channel) => {
    const ledger = ledgers.find((candidate) => candidate.channel === channel);
    return {
      audience: ledger ? ledger.counts.delivered + ledger.counts.unknown : 0,
      members: membership?.snapshot.rows ?? 0,
      maxPercent: config.max_removal_percent,
      approved: approvals
        .filter((approval) => approval.number > (ledger?.config_number ?? 0))
        .flatMap(({ sets }) => sets.filter((set) => set.channel === channel).map((set) => set.file)),
    };
  };
}

/** An approval is spent by the run that acts on it: users who return and leave again are counted again. */
async function approvalsSince(
  log: ConnectorLog,
  newest: number,
  ledgers: readonly LedgerRef[],
): Promise<{ number: number; sets: { channel: Channel; file: FileRef }[] }[]> {
  const oldest = Math.min(newest, ...ledgers.map((ledger) => ledger.config_number));
  const approvals = [];
  for (let number = newest; number > oldest; number--) {
    const approved = (await log.config(number))?.approved;
    if (approved) approvals.push({ number, sets: approved.sets });
  }
  return approvals;
}

/** What is held in all channels together, under one digest: that of the exact sets. */
export function pendingRemoval(channels: readonly ChannelPlan[]): PendingRemoval | null {
  const sets = channels.flatMap(({ channel, held }) => (held ? [{ channel, file: held }] : []));
  if (sets.length === 0) return null;
  const digest = createHash("sha256");
  for (const { channel, file } of sets) digest.update(`${channel} ${file.sha256}\n`);
  return { digest: digest.digest("hex"), users: Math.max(...sets.map((set) => set.file.rows)), sets };
}
