import type { ZodType } from "zod";
import type { ConnectorKey } from "../contracts/connector-id.ts";
import { CodedError } from "../contracts/errors.ts";
import {
  commitKey,
  commitSchema,
  configEntrySchema,
  configKey,
  connectorFolder,
  planKey,
  planSchema,
} from "../contracts/log.ts";
import type { Commit } from "../contracts/log.ts";
import { parseJson } from "../storage/json.ts";
import type { Storage, StoredEntry } from "../storage/storage.ts";

/** Files are kept for so many days at least. */
const cleanUpAfterDays = 30;
/** The newest runs whose files stay, however old they are: a connector that recomputes rarely keeps a history, too. */
export const keptCommits = 10;

const dayMs = 86_400_000;

/** Whether the files of a run, after which so many others were closed, are surely there still, as far as `at`. */
export function areFilesKept(commit: Commit, { runsSince, at }: { runsSince: number; at: string }): boolean {
  return runsSince < keptCommits || Date.parse(at) - Date.parse(commit.at) < cleanUpAfterDays * dayMs;
}

export interface KeepRule {
  nowMs: number;
  /** Entries younger than this keep their files. */
  afterMs: number;
}

/**
 * The names of all files that a kept entry of the log names. Kept are: the newest runs and those that are young, an open one, and
 * settings that are young or approve exits that a guard may still ask for. A run and a day more than files are promised: an
 * approval that is being written meanwhile may name what was still kept when it was asked for.
 * Throws `log_unreadable` for the first entry that cannot be read.
 */
export async function keptFiles(
  storage: Storage,
  key: ConnectorKey,
  listed: readonly StoredEntry[],
  rule: KeepRule,
): Promise<Set<string>> {
  const written = new Map(listed.map((entry) => [entry.key, entry.writtenAtMs]));
  const reader = new EntryReader(storage, written, rule.nowMs - rule.afterMs - dayMs);
  const folder = connectorFolder(key);
  const newest = await markRuns(reader, folder, highestNumber(listed, `${folder}log/`));
  await markSettings(reader, folder, highestNumber(listed, `${folder}config/`), newest);
  return reader.marked;
}

/** From the newest run back to the first that is not kept; times in a log go up but for minutes. Answers the newest commit. */
async function markRuns(reader: EntryReader, folder: string, last: number): Promise<Commit | undefined> {
  let newest: Commit | undefined;
  for (let number = last, closed = 0; number > 0; number -= 1) {
    const commit = await reader.read(commitKey(folder, number), commitSchema);
    const plan = await reader.read(planKey(folder, number), planSchema);
    // Only the newest run may be open: a hole is no end of the log.
    if (!commit && number < last) throw new CodedError("log_unreadable", commitKey(folder, number));
    newest ??= commit?.entry;
    if (commit) closed += 1;
    const isKept = !commit || closed <= keptCommits + 1 || commit.isYoung || plan?.isYoung === true;
    if (!isKept) break;
    for (const each of [commit, plan]) each?.mark();
  }
  return newest;
}

/** Every entry is read, there are few: an approval counts until each channel was written to under newer settings. */
async function markSettings(
  reader: EntryReader,
  folder: string,
  last: number,
  newest: Commit | undefined,
): Promise<void> {
  const numbers = newest?.channels.map((channel) => channel.config_number) ?? [];
  const oldest = numbers.length === 0 ? 0 : Math.min(...numbers);
  for (let number = last; number > 0; number -= 1) {
    const config = await reader.read(configKey(folder, number), configEntrySchema);
    if (config && (number > oldest || config.isYoung)) config.mark();
  }
}

interface ReadEntry<Entry> {
  entry: Entry;
  /** By its own time or by the storage's, whichever is later: a log that was restored from a backup is younger than it says. */
  isYoung: boolean;
  /** Marks every file that it names. */
  mark(): void;
}

class EntryReader {
  readonly marked = new Set<string>();
  readonly #storage: Storage;
  readonly #written: ReadonlyMap<string, number>;
  readonly #youngFromMs: number;

  constructor(storage: Storage, written: ReadonlyMap<string, number>, youngFromMs: number) {
    this.#storage = storage;
    this.#written = written;
    this.#youngFromMs = youngFromMs;
  }

  async read<Entry extends { at: string }>(
    key: string,
    schema: ZodType<Entry>,
  ): Promise<ReadEntry<Entry> | undefined> {
    const bytes = await this.#storage.get(key);
    if (!bytes) return undefined;
    const raw = parseJson(bytes);
    const parsed = schema.safeParse(raw);
    if (!parsed.success) throw new CodedError("log_unreadable", key);
    const timeMs = Math.max(Date.parse(parsed.data.at), this.#written.get(key) ?? Infinity);
    return {
      entry: parsed.data,
      isYoung: timeMs > this.#youngFromMs,
      mark: () => collectTexts(raw, this.marked),
    };
  }
}

/**
 * Every text in an entry as it was written, wherever it stands: a file's name is one of them, also in a field that only another
 * release knows.
 */
function collectTexts(value: unknown, into: Set<string>): void {
  if (typeof value === "string") into.add(value);
  else if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) collectTexts(inner, into);
  }
}

function highestNumber(listed: readonly StoredEntry[], folder: string): number {
  const names = listed.filter(({ key }) => key.startsWith(folder)).map(({ key }) => key.slice(folder.length));
  return Math.max(0, ...names.map((name) => Number(/^\d{12}(?=\.)/.exec(name)?.[0] ?? 0)));
}
