import type { FileRef } from "../contracts/log.ts";
import type { Session } from "./duckdb.ts";
import { newExceptionsKey } from "./file-keys.ts";
import type { LedgerDeps } from "./ledger-deps.ts";
import { copyToParquet, sqlText } from "./sql.ts";

/**
 * The exceptions of a ledger: users whose state in Braze is not what the base says, or is not known. One Parquet file, sorted
 * by id, times as ISO 8601 text in UTC with milliseconds (so that they compare as text).
 */
export const exceptionColumns =
  "user_id VARCHAR, state VARCHAR, reason VARCHAR, since VARCHAR, attempts INTEGER, retry_at VARCHAR";

/**
 * Reasons of users who were not refused: the next run writes them whatever the diff says, unless it finds them within the quiet
 * window of a run that wrote them (`quiet`), or has their exit wait for a person (`held`). Any other reason is the code of a
 * rejection, and its user waits until `retry_at`, for ever where that is null.
 */
export type WaitingReason = "unanswered" | "not_sent" | "abandoned" | "quiet" | "held";
const waitingReasons: readonly WaitingReason[] = ["unanswered", "not_sent", "abandoned", "quiet", "held"];

/** An SQL condition: the row was rejected by name. */
export const isRejectedSql = `reason NOT IN (${waitingReasons.map(sqlText).join(", ")})`;

/** Makes a time comparable as text with those in the files. */
export function comparableTime(iso: string): string {
  return new Date(iso).toISOString();
}

export interface PublishExceptionsInput {
  folder: string;
  number: number;
  /** The table that holds them, in `exceptionColumns`. */
  table: string;
  /** Answered, and nothing written, where it says the very same. */
  same: FileRef | null;
}

/** Keeps a table of exceptions; null where there are none. */
export async function publishExceptions(
  { files, scratch }: LedgerDeps,
  session: Session,
  { folder, number, table, same }: PublishExceptionsInput,
): Promise<FileRef | null> {
  return scratch.withFolder(async (work) => {
    const path = `${work}/exceptions.parquet`;
    const rows = await session.run(copyToParquet(`SELECT * FROM ${table} ORDER BY user_id`, path));
    return rows === 0 ? null : files.publish(path, newExceptionsKey(folder, number), rows, same);
  });
}
