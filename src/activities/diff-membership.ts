import { cancellationSignal } from "@temporalio/activity";
import {
  attributeChannel,
  maxTrackBatchSizeUsers,
  parseChannel,
  subscriptionBatchSizeUsers,
  subscriptionGroupChannel,
  type Channel,
} from "../contracts/channel.ts";
import type { ConnectorConfig } from "../contracts/connector-config.ts";
import { CodedError } from "../contracts/errors.ts";
import {
  connectorFolder,
  type ChannelPlan,
  type Commit,
  type ConfigEntry,
  type LedgerRef,
  type Plan,
} from "../contracts/log.ts";
import type { DiffedMembership, DiffMembershipInput, FetchedMembership } from "../contracts/run.ts";
import type { ConnectorLog } from "../ledger/log.ts";
import { recentWrites } from "../ledger/recent-writes.ts";
import { pendingRemoval, removalGuards } from "./removal-guards.ts";
import type { ActivityDeps } from "./deps.ts";
import { withHeartbeat } from "./heartbeat.ts";

/**
 * Promise: the plan is in the log before anything is sent, and it is this run's or nothing is sent.
 * In: a membership, or none when everybody is to be unset; users whom Braze was seen to show wrong, who are written whatever the
 * ledger says of them. Out: what there is to send, in counts.
 * Without a difference there is no plan. Heartbeat: no details. Attempt 2 finds its own plan and answers from it.
 * Errors: ledger_missing, log_unreadable, run_superseded, storage_unavailable.
 */
export function createDiffMembership({ ledger, partSeconds, quietWindowMs, heavy }: ActivityDeps) {
  return async ({ scope, at, membership, resync, wrong }: DiffMembershipInput): Promise<DiffedMembership> => {
    const log = ledger.log(scope.key);
    const config = await log.latestConfig();
    if (!config) throw new CodedError("connector_not_found");
    const answer = (plan: Plan | undefined, configNumber: number): DiffedMembership => ({
      planned: plan !== undefined,
      deltas: plan ? plannedDeltas(plan.channels) : [],
      configNumber,
      partSeconds,
    });
    const written = await log.plan(scope.number);
    if (written && written.workflow_id === scope.workflowId && written.run_id === scope.runId) {
      return answer(written, written.config_number);
    }
    const previous = await log.commitBefore(scope.number);
    if (previous) assertNoneIsMissing(config, previous);
    const ledgers = previous?.channels ?? [];
    const held = previous?.pending_removal?.sets ?? [];
    const signal = cancellationSignal();
    const folder = connectorFolder(scope.key);
    const removedAt = await lastRemoval(log, config.number, ledgers);
    const recent = await recentWrites(log, { number: scope.number, at, windowMs: quietWindowMs });
    const guardOf = await removalGuards(log, config, ledgers, membership);
    const wanted = wantedChannels(config, ledgers, removedAt, membership !== null).map((channel) => ({
      ...channel,
      recent: recent(channel.channel),
      wrong: wrong?.channel === channel.channel ? wrong.users : null,
      guard: channel.target === "snapshot" ? guardOf(channel.channel) : undefined,
      named: held.filter((set) => set.channel === channel.channel).map((set) => set.file),
    }));
    const compare = () => {
      const snapshot = membership?.snapshot ?? null;
      const { number } = scope;
      return ledger.diffChannels({ folder, number, snapshot, channels: wanted, at, resync, signal });
    };
    const channels = await withHeartbeat(() => heavy(compare));
    if (!movesAnything(channels, membership, ledgers)) return answer(undefined, config.number);
    const plan: Plan = {
      version: 1,
      kind: "plan",
      number: scope.number,
      workflow_id: scope.workflowId,
      run_id: scope.runId,
      at,
      config_number: config.number,
      recompute: membership && {
        computed_at: membership.computedAt,
        member_count: membership.memberCount,
        segment_name: membership.segmentName,
      },
      snapshot: membership?.snapshot ?? null,
      channels,
      pending_removal: pendingRemoval(channels),
    };
    if ((await log.putPlan(plan)) === "taken") throw new CodedError("run_superseded", `run ${scope.number}`);
    return answer(plan, config.number);
  };
}

/** Settings that a run worked under are gone: those before them would be taken for the newest. */
function assertNoneIsMissing({ number }: ConfigEntry, { config_number, channels }: Commit): void {
  const seen = Math.max(config_number ?? 0, ...channels.map((channel) => channel.config_number));
  if (number < seen) throw new CodedError("log_unreadable", `config ${seen}`);
}

interface WantedChannel extends Pick<ChannelPlan, "channel" | "base" | "exceptions" | "target"> {
  batchSize: number;
}

/**
 * Every channel of the configuration, and every one of the ledger that is not: that one's target is empty, so that its
 * members are unset and it is forgotten. A ledger of another endpoint is another workspace's: this one starts empty. A channel
 * from before the connector was removed, and created again without it, was left to Braze as it was: it is only forgotten.
 */
function wantedChannels(
  { config }: ConfigEntry,
  ledgers: readonly LedgerRef[],
  removedAt: number,
  hasMembers: boolean,
): WantedChannel[] {
  const here = ledgers.filter((ledger) => ledger.rest_endpoint === config.rest_endpoint);
  const configured = hasMembers ? configuredChannels(config) : [];
  const removed = here
    .filter((ledger) => !configured.includes(ledger.channel) && ledger.config_number > removedAt)
    .map((ledger) => ledger.channel);
  return [...configured, ...removed].map((channel) => {
    const known = here.find((ledger) => ledger.channel === channel);
    return {
      channel,
      base: known?.base ?? null,
      exceptions: known?.exceptions ?? null,
      target: configured.includes(channel) ? "snapshot" : "empty",
      batchSize: batchSizeOf(channel, config),
    };
  });
}

/** The number of the newest tombstone that is younger than some channel's ledger; 0 when there is none. */
async function lastRemoval(
  log: ConnectorLog,
  newest: number,
  ledgers: readonly LedgerRef[],
): Promise<number> {
  const oldest = Math.min(newest, ...ledgers.map((ledger) => ledger.config_number));
  for (let number = newest; number > oldest; number--) {
    if ((await log.config(number))?.change === "removed") return number;
  }
  return 0;
}

function configuredChannels(config: ConnectorConfig): Channel[] {
  const groups = config.segment_id ? [subscriptionGroupChannel(config.segment_id)] : [];
  return [attributeChannel(config.attribute_name), ...groups];
}

function batchSizeOf(channel: Channel, config: ConnectorConfig): number {
  const most =
    parseChannel(channel).kind === "attribute" ? maxTrackBatchSizeUsers : subscriptionBatchSizeUsers;
  return Math.min(most, config.batch_size);
}

/** Something is to be sent, or the ledger would say it differently afterwards. */
function movesAnything(
  channels: ChannelPlan[],
  membership: FetchedMembership | null,
  ledgers: readonly LedgerRef[],
): boolean {
  if (channels.some((channel) => channel.deltas.some((delta) => delta.users > 0))) return true;
  if (channels.length !== ledgers.length) return true;
  return channels.some((channel) => {
    const moved = channel.target === "snapshot" && channel.base?.sha256 !== membership?.snapshot.sha256;
    return moved || channel.target === "empty" || channel.kept?.sha256 !== channel.exceptions?.sha256;
  });
}

function plannedDeltas(channels: ChannelPlan[]): DiffedMembership["deltas"] {
  return channels.flatMap(({ channel, deltas }) =>
    deltas
      .filter((delta) => delta.users > 0)
      .map(({ direction, users, parts }) => ({ channel, direction, users, parts: parts.length })),
  );
}
