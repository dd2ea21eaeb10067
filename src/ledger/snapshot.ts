import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CodedError } from "../contracts/errors.ts";
import type { Dropped, FileRef } from "../contracts/log.ts";
import type { Session } from "./duckdb.ts";
import { stageExport } from "./export-source.ts";
import type { ExportFormat } from "./export-source.ts";
import { newSnapshotKey } from "./file-keys.ts";
import type { LedgerDeps } from "./ledger-deps.ts";
import { copyToParquet, parquet } from "./sql.ts";

/** A finished snapshot on this machine: sorted, distinct, the same bytes for the same set. `discard` of its builder removes it. */
interface BuiltSnapshot {
  localPath: string;
  /** Distinct ids that a request can name. Those over 987 bytes are among them: SegOps says that they are members. */
  rows: number;
  dropped: Dropped;
  /** Distinct strings received, also the empty and ill-formed ones: what SegOps' member_count is compared with. */
  distinctReceived: number;
}

/** Collects one membership, in memory a page at a time, into a snapshot. Serves once. */
export interface SnapshotBuilder {
  /** Ids as the source sent them. What is no string is counted and dropped. */
  addIds(items: readonly unknown[]): Promise<void>;
  /** An exported file with a column `user_id`. Unreadable: `snapshot_unverified`. */
  addExport(path: string, format: ExportFormat): Promise<void>;
  finish(): Promise<BuiltSnapshot>;
  /** Removes all files, also the finished one; at any time, any number of times. */
  discard(): Promise<void>;
}

/** Half of a surrogate pair: no text that UTF-8 could carry. (`isWellFormed` says the same, in newer type libraries.) */
const loneSurrogate = /\p{Surrogate}/u;

/** Ids that are held in memory before they are written out. */
const stageIds = 20_000;

export function createSnapshot(deps: LedgerDeps, signal?: AbortSignal): SnapshotBuilder {
  const { duckdb, scratch } = deps;
  const dropped: Dropped = { empty: 0, ill_formed: 0, not_string: 0, duplicate: 0 };
  const illFormed = new Set<string>();
  const staged: string[] = [];
  let pending: string[] = [];
  let folder: Promise<string> | undefined;

  const newFile = async () => {
    const path = join(await (folder ??= scratch.newFolder()), `staged-${staged.length}.parquet`);
    staged.push(path);
    return path;
  };
  const stagePending = async () => {
    const ids = JSON.stringify(pending);
    pending = [];
    const target = await newFile();
    const query = `SELECT unnest(from_json($ids, '["VARCHAR"]')) AS user_id`;
    await duckdb.use((session) => session.run(copyToParquet(query, target), { ids }), signal);
  };
  const sort = (item: unknown) => {
    if (typeof item !== "string") dropped.not_string += 1;
    else if (!loneSurrogate.test(item)) pending.push(item);
    else {
      // DuckDB would fold every lone surrogate into U+FFFD, and so two users into one.
      dropped.ill_formed += 1;
      illFormed.add(item);
    }
  };

  return {
    async addIds(items) {
      items.forEach(sort);
      if (pending.length >= stageIds) await stagePending();
    },
    async addExport(path, format) {
      const target = await newFile();
      await duckdb.use((session) => stageExport(session, path, format, target), signal);
    },
    async finish() {
      await stagePending();
      const localPath = await newFile();
      const { rows, empty, missing, received } = await duckdb.use(
        (session) => writeSorted(session, staged.slice(0, -1), localPath),
        signal,
      );
      dropped.empty += empty;
      dropped.not_string += missing;
      dropped.duplicate += received - empty - missing - rows;
      return { localPath, rows, dropped, distinctReceived: rows + Math.min(empty, 1) + illFormed.size };
    },
    async discard() {
      if (folder) await rm(await folder, { recursive: true, force: true });
    },
  };
}

async function writeSorted(session: Session, staged: readonly string[], target: string) {
  const source = parquet(staged);
  const counts = await session.row(
    `SELECT count(*), count(*) FILTER (user_id = ''), count(*) FILTER (user_id IS NULL) FROM ${source}`,
  );
  const [received = 0, empty = 0, missing = 0] = counts.map(Number);
  // Compared bytewise, so one set has one order, and with it one file.
  const rows = await session.run(
    copyToParquet(`SELECT DISTINCT user_id FROM ${source} WHERE user_id <> '' ORDER BY user_id`, target),
  );
  if (rows + empty + missing > received) throw new CodedError("unexpected", "more ids than were received");
  return { rows, empty, missing, received };
}

export interface PublishSnapshotInput {
  built: Pick<BuiltSnapshot, "localPath" | "rows">;
  /** The connector's folder in storage. */
  folder: string;
  computedAt: string;
  /** The snapshot that the ledger stands on, if any. */
  previous: FileRef | null;
}

/** Keeps a finished snapshot. The very same set as the previous one is that one: nothing is uploaded. */
export async function publishSnapshot(
  { files }: LedgerDeps,
  { built, folder, computedAt, previous }: PublishSnapshotInput,
): Promise<FileRef> {
  return files.publish(built.localPath, newSnapshotKey(folder, computedAt), built.rows, previous);
}
