import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import {
  attributeChannel,
  parseChannel,
  subscriptionGroupChannel,
  type Direction,
} from "../../src/contracts/channel.ts";
import type { ConnectorView } from "../../src/client.ts";
import { commitKey, connectorFolder, type Commit, type Plan } from "../../src/contracts/log.ts";
import type { LoggedRun } from "../../src/ledger/log.ts";
import type { TestConnector } from "../integration/test-connector.ts";
import type { Arena } from "./arena.ts";
import type { ChannelEvidence, ConnectorEvidence, RunEvidence, WriteEvidence } from "./evidence.ts";
import { gatherReleases } from "./gather-releases.ts";
import { LedgerFiles } from "./ledger-files.ts";
import { attributeNames, groupIds } from "./workload.ts";

/** What the ledger says of a user whom an answer rejected without naming anybody. */
const unnamed = "braze_user_rejected";

/** Reads all that the checker needs of one connector at rest. Throws where something cannot be read: then nothing is known. */
export async function gatherConnector(
  arena: Arena,
  connector: TestConnector,
  unsettled: string | null,
): Promise<ConnectorEvidence> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const files = new LedgerFiles(connection, connector.storageDir());
    const logged = (await connector.log.runs({ limit: 1_000_000 })).toReversed();
    const view = await connector.describe();
    return {
      name: connector.workflowId,
      unsettled,
      historyEvents: await historyLength(arena, connector.workflowId),
      logNames: await connector.files("log"),
      runs: await Promise.all(
        logged.map((run, index) => gatherRun(connector, run, logged[index - 1]?.commit, files)),
      ),
      channels: await gatherChannels(connector, view, logged, files),
      writes: await gatherWrites(arena, connector),
    };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** How often faults struck whose answers name no user. */
export const unnamedRejectionFaults = ["braze errors_as_strings", "braze index_out_of_range"];

async function historyLength(arena: Arena, workflowId: string): Promise<number> {
  const { historyLength: events, status } = await arena.stage.client.workflow
    .getHandle(workflowId)
    .describe();
  if (status.name !== "RUNNING") throw new Error(`${workflowId} is ${status.name}`);
  return events;
}

async function gatherRun(
  connector: TestConnector,
  { number, plan, commit }: LoggedRun,
  before: Commit | undefined,
  files: LedgerFiles,
): Promise<RunEvidence> {
  const moves = plan ? await movesOf(plan, files) : new Map<string, Map<string, Direction>>();
  return {
    number,
    plannedAtMs: plan ? Date.parse(plan.at) : null,
    closedAtMs: commit ? await closedAtMs(connector, commit) : null,
    moves,
    releases: plan && before ? await gatherReleases(connector, plan, before, moves, files) : [],
  };
}

/** Whoever still worked on the run could see it open until the commit had its name (which changes `ctime`), whatever time it bears. */
async function closedAtMs(connector: TestConnector, commit: Commit): Promise<number> {
  const path = join(connector.storageDir(), commitKey(connectorFolder(connector.key), commit.number));
  return Math.max(Date.parse(commit.at), (await stat(path)).ctimeMs);
}

async function movesOf(plan: Plan, files: LedgerFiles): Promise<Map<string, Map<string, Direction>>> {
  const moves = new Map<string, Map<string, Direction>>();
  for (const { channel, deltas } of plan.channels) {
    const ofChannel = new Map<string, Direction>();
    for (const { direction, parts } of deltas) {
      for (const user of await files.users(parts)) ofChannel.set(user, direction);
    }
    moves.set(channel, ofChannel);
  }
  return moves;
}

async function gatherChannels(
  connector: TestConnector,
  { config }: ConnectorView,
  logged: readonly LoggedRun[],
  files: LedgerFiles,
): Promise<ChannelEvidence[]> {
  const members = await connector.inSegops();
  const configured = [
    attributeChannel(config.attribute_name),
    ...(config.segment_id ? [subscriptionGroupChannel(config.segment_id)] : []),
  ];
  const commits = logged.flatMap(({ commit }) => (commit ? [commit] : []));
  // Whom Braze refuses has no profile, so a subscription group cannot hold them either.
  const withoutProfile = await rejectedIn(attributeChannel(config.attribute_name), commits, files);
  return await Promise.all(
    channelsOf(connector.id).map(async (channel) => ({
      channel,
      desired: configured.includes(channel) ? members : [],
      shown: await shownIn(connector, channel),
      rejected: new Map([
        ...(parseChannel(channel).kind === "subscription_group" ? withoutProfile : []),
        ...(await rejectedIn(channel, commits, files)),
      ]),
      held: await files.held(
        commits.at(-1)?.channels.find((ledger) => ledger.channel === channel)?.exceptions,
      ),
    })),
  );
}

function channelsOf(segment: number): string[] {
  return [
    ...attributeNames(segment).map(attributeChannel),
    ...groupIds(segment).map(subscriptionGroupChannel),
  ];
}

async function shownIn(connector: TestConnector, channel: string): Promise<string[]> {
  const target = parseChannel(channel);
  return target.kind === "attribute"
    ? await connector.inBraze(true, target.attributeName)
    : await connector.inGroup(target.groupId);
}

/** Those of the newest commit; and of any commit those whose rejection named nobody, as Braze may have taken them. */
async function rejectedIn(
  channel: string,
  commits: readonly Commit[],
  files: LedgerFiles,
): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const [index, commit] of commits.entries()) {
    const ledger = commit.channels.find((candidate) => candidate.channel === channel);
    for (const [user, reason] of await files.rejected(ledger?.exceptions)) {
      if (reason === unnamed || index === commits.length - 1) all.set(user, reason);
    }
  }
  return all;
}

async function gatherWrites(arena: Arena, connector: TestConnector): Promise<WriteEvidence[]> {
  const { braze } = arena.stage.stack;
  const { writesDropped } = await connector.stats();
  if (writesDropped > 0) throw new Error(`${writesDropped} writes are not in Braze's record`);
  const channels = new Set(channelsOf(connector.id));
  const writes: WriteEvidence[] = [];
  for await (const { user, attribute, value, at, appliedAt } of braze.writes(connector.brazeKey)) {
    const channel = attribute.startsWith("subscription_group:") ? attribute : attributeChannel(attribute);
    if (!channels.has(channel)) continue;
    const direction = value === true || value === "subscribed" ? "entered" : "exited";
    writes.push({ channel, user, direction, acceptedAtMs: at, appliedAtMs: appliedAt });
  }
  return writes;
}
