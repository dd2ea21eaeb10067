import type { ConnectorKey } from "../contracts/connector-id.ts";
import { connectorFolder } from "../contracts/log.ts";
import type { CleanedUp } from "../contracts/run.ts";
import type { Storage, StoredEntry } from "../storage/storage.ts";
import { keptCommits, keptFiles } from "./kept-files.ts";
import type { KeepRule } from "./kept-files.ts";

/** A file that may go: no kept entry names it. */
export interface Leftover extends StoredEntry {
  /** Runs that were closed after it was written. */
  commitsSince: number;
}

/**
 * The files of a connector that nobody needs any more, by name: no kept entry of its log names them, they are older than
 * `afterMs`, and ten runs were closed after they were written. The last is what protects the files of a run under way, which no
 * entry names yet: while it is open nothing is closed. Never anything of the log or the settings. Reads only.
 * Throws `log_unreadable` where any entry that counts cannot be read, and `storage_unavailable`.
 */
export async function findLeftovers(
  storage: Storage,
  key: ConnectorKey,
  rule: KeepRule,
): Promise<Leftover[]> {
  const folder = connectorFolder(key);
  // Listed before the log is read: what an entry names that is written meanwhile is not listed, or was named before.
  const listed = await listEntries(storage, folder);
  const commitTimes = listed.filter(isCommit).map((entry) => entry.writtenAtMs);
  if (commitTimes.length < keptCommits) return [];
  const kept = await keptFiles(storage, key, listed, rule);
  return listed
    .filter((entry) => !isOfLog(entry, folder) && !kept.has(entry.key))
    .filter((entry) => entry.writtenAtMs <= rule.nowMs - rule.afterMs)
    .map((entry) => ({ ...entry, commitsSince: countLater(commitTimes, entry) }))
    .filter((entry) => entry.commitsSince >= keptCommits);
}

export interface CleanUpOptions extends KeepRule {
  signal?: AbortSignal | undefined;
}

/**
 * Deletes them, one by one. Whatever stops it in the middle has only deleted what nobody needs; the next time goes on with the
 * rest. Throws as `findLeftovers` does.
 */
export async function cleanUp(
  storage: Storage,
  key: ConnectorKey,
  { signal, ...rule }: CleanUpOptions,
): Promise<CleanedUp> {
  return await deleteLeftovers(storage, await findLeftovers(storage, key, rule), signal);
}

export async function deleteLeftovers(
  storage: Storage,
  leftovers: readonly Leftover[],
  signal?: AbortSignal,
): Promise<CleanedUp> {
  let bytes = 0;
  for (const leftover of leftovers) {
    signal?.throwIfAborted();
    await storage.delete(leftover.key);
    bytes += leftover.bytes;
  }
  return { files: leftovers.length, bytes };
}

async function listEntries(storage: Storage, folder: string): Promise<StoredEntry[]> {
  const listed: StoredEntry[] = [];
  for await (const entry of storage.entries(folder)) listed.push(entry);
  return listed;
}

function isOfLog({ key }: StoredEntry, folder: string): boolean {
  return key.startsWith(`${folder}log/`) || key.startsWith(`${folder}config/`);
}

function isCommit({ key }: StoredEntry): boolean {
  return /\/log\/\d{12}\.commit\.json$/.test(key);
}

/** Both times are the storage's own, so that no worker's clock can make a file look older than a commit. */
function countLater(commitTimes: readonly number[], { writtenAtMs }: StoredEntry): number {
  return commitTimes.filter((time) => time > writtenAtMs).length;
}
