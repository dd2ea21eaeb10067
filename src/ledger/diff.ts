import { rm } from "node:fs/promises";
import { parseChannel, type Channel, type Direction } from "../contracts/channel.ts";
import { CodedError } from "../contracts/errors.ts";
import type { ChannelPlan, FileRef } from "../contracts/log.ts";
import { findChanges } from "./changes.ts";
import type { LocalFile } from "./changes.ts";
import type { Session } from "./duckdb.ts";
import { comparableTime, publishExceptions } from "./exceptions.ts";
import { newPartsFolder } from "./file-keys.ts";
import { holdRemovals } from "./removal-guard.ts";
import type { RemovalGuard } from "./removal-guard.ts";
import { keepQuiet } from "./quiet.ts";
import type { RecentWrites } from "./quiet.ts";
import type { LedgerDeps } from "./ledger-deps.ts";
import { copyToParquet, partRowGroup } from "./sql.ts";

export interface ChannelDiff {
  channel: Channel;
  /** The ledger before the run. */
  base: FileRef | null;
  exceptions: FileRef | null;
  /** `empty`: nobody is desired, whatever the snapshot says. */
  target: ChannelPlan["target"];
  /** Runs that wrote to this channel and closed within the quiet window; none unless given. */
  recent?: readonly RecentWrites[];
  /** Users found wrong in Braze. */
  wrong?: FileRef | null;
  /** Holds large removals for a person; without it all exits go out. */
  guard?: RemovalGuard | undefined;
  /** Files that the ledger names beside these and this run does not read: nothing is compared unless they are whole too. */
  named?: readonly FileRef[];
  /** Users per request: parts hold a multiple of it, so that n users take exactly ⌈n/batchSize⌉ requests. */
  batchSize: number;
}

export interface DiffInput {
  /** The connector's folder in storage. */
  folder: string;
  number: number;
  /** Null where every target is empty. */
  snapshot: FileRef | null;
  channels: readonly ChannelDiff[];
  /** ISO 8601, the workflow's clock. */
  at: string;
  /** Every member is written again, whatever the ledger says. */
  resync?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** Users of one part at most, unless a delta would have over `maxParts`: one row group. */
const partUsers = 20_480;
const maxParts = 500;
/** Parts that are flushed to storage while the next one is cut. */
const uploadsAtOnce = 4;

/**
 * Compares the snapshot with the ledger of each channel and cuts what differs into parts in storage. Directions in which
 * nobody moves have no delta. Throws `ledger_missing` where a file of the ledger is not whole.
 */
export async function diffChannels(deps: LedgerDeps, input: DiffInput): Promise<ChannelPlan[]> {
  const plans: ChannelPlan[] = [];
  for (const channel of input.channels) {
    plans.push(await diffChannel(deps, input, channel, keptByLeader(plans, channel)));
  }
  return plans;
}

/** A subscription follows the attribute, user by user: where the attribute has to wait for somebody, it waits too. */
function keptByLeader(plans: readonly ChannelPlan[], { channel, target }: ChannelDiff): FileRef | null {
  const isLeader = (plan: ChannelPlan) =>
    plan.target === "snapshot" && parseChannel(plan.channel).kind === "attribute";
  const follows = target === "snapshot" && parseChannel(channel).kind === "subscription_group";
  return (follows && plans.find(isLeader)?.kept) || null;
}

async function diffChannel(
  deps: LedgerDeps,
  input: DiffInput,
  wanted: ChannelDiff,
  leading: FileRef | null,
): Promise<ChannelPlan> {
  const {
    channel,
    base,
    exceptions,
    target,
    batchSize,
    recent = [],
    guard,
    named = [],
    wrong = null,
  } = wanted;
  const { snapshot, folder, number } = input;
  if (target === "snapshot" && snapshot === null) {
    throw new CodedError("unexpected", "a channel is to hold a snapshot that was not given");
  }
  const desired = target === "snapshot" ? snapshot : null;
  const refs = [
    ...[desired, base, exceptions, wrong].filter((ref) => ref !== null),
    ...recent.flatMap((run) => [...run.parts, ...(run.exceptions ? [run.exceptions] : [])]),
    ...(guard?.approved ?? []),
    ...named,
    ...(leading ? [leading] : []),
  ];
  return deps.files.use(refs, (paths) => {
    const pathOf = (ref: FileRef) => paths[refs.indexOf(ref)] ?? "";
    const local = (ref: FileRef | null): LocalFile | null => ref && { ref, path: pathOf(ref) };
    return deps.duckdb.use(async (session) => {
      const at = comparableTime(input.at);
      const sets = { desired: local(desired), base: local(base), exceptions: local(exceptions) };
      await findChanges(session, { ...sets, wrong: local(wrong), at, resync: input.resync ?? false });
      // First the guard: who passes it has begun to leave, also if the quiet window then makes the exit wait.
      const held = guard && (await holdRemovals(deps, session, guard, { folder, number, at, pathOf }));
      await keepQuiet(session, recent, pathOf, at, leading);
      const table = "kept";
      const kept = await publishExceptions(deps, session, { folder, number, table, same: exceptions });
      const partsFolder = newPartsFolder(folder, number);
      const deltas = [
        await cutParts(deps, session, "entered", batchSize, partsFolder),
        await cutParts(deps, session, "exited", batchSize, partsFolder),
      ].filter((delta) => delta.users > 0);
      return { channel, base, exceptions, target, kept, ...(held ? { held } : {}), deltas };
    }, input.signal);
  });
}

async function cutParts(
  deps: LedgerDeps,
  session: Session,
  direction: Direction,
  batchSize: number,
  partsFolder: string,
): Promise<ChannelPlan["deltas"][number]> {
  const users = Number((await session.row(`SELECT count(*) FROM ${direction}`))[0]);
  const size = partSize(users, batchSize);
  const uploads: Promise<FileRef>[] = [];
  await deps.scratch.withFolder(async (work) => {
    try {
      for (let from = 0; from < users; from += size) {
        const name = `${direction}-${String(uploads.length + 1).padStart(4, "0")}.parquet`;
        const path = `${work}/${name}`;
        const rows = await cutPart(session, direction, { from, to: Math.min(from + size, users), path });
        const upload = publishAndRemove(deps, path, partsFolder + name, rows);
        upload.catch(() => undefined); // thrown below; meanwhile nobody awaits it
        uploads.push(upload);
        await uploads[uploads.length - uploadsAtOnce];
      }
    } finally {
      // Before the folder goes: uploads still read from it, also when a later part failed.
      await Promise.allSettled(uploads);
    }
  });
  return { direction, users, batch_size: batchSize, parts: await Promise.all(uploads) };
}

/** The largest multiple of the batch size within one row group, times whatever keeps the parts under `maxParts`. */
export function partSize(users: number, batchSize: number): number {
  const size = Math.max(1, Math.floor(partUsers / batchSize)) * batchSize;
  return size * Math.max(1, Math.ceil(users / (size * maxParts)));
}

async function cutPart(
  session: Session,
  direction: Direction,
  { from, to, path }: { from: number; to: number; path: string },
): Promise<number> {
  // The table was filled in byte order, so row ids are positions; the order within a part does not lean on that.
  const slice = `SELECT user_id, former, attempts FROM ${direction} WHERE rowid >= ${from} AND rowid < ${to} ORDER BY user_id`;
  const rows = await session.run(copyToParquet(slice, path, partRowGroup));
  if (rows !== to - from) throw new CodedError("unexpected", `a part got ${rows} of ${to - from} users`);
  return rows;
}

async function publishAndRemove(
  { files }: LedgerDeps,
  path: string,
  key: string,
  rows: number,
): Promise<FileRef> {
  const ref = await files.publish(path, key, rows);
  await rm(path, { force: true });
  return ref;
}
