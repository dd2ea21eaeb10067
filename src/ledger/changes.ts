import { maxUserIdBytes } from "../contracts/channel.ts";
import type { ErrorCode } from "../contracts/errors.ts";
import type { FileRef } from "../contracts/log.ts";
import type { Session } from "./duckdb.ts";
import { exceptionColumns, isRejectedSql } from "./exceptions.ts";
import { idRanges } from "./id-ranges.ts";
import { parquet } from "./sql.ts";

/** A file of ours on this machine. */
export interface LocalFile {
  ref: FileRef;
  path: string;
}

export interface ChangesInput {
  /** Who is desired; null: nobody. */
  desired: LocalFile | null;
  base: LocalFile | null;
  exceptions: LocalFile | null;
  /** Users whom Braze was seen to show otherwise than base and exceptions say: of them nothing is known. */
  wrong?: LocalFile | null;
  /** ISO 8601, comparable as text. */
  at: string;
  /** Whoever is desired is written again: nothing that is known of them counts. No rejection rests, of an exit neither. */
  resync: boolean;
}

const tooLong: ErrorCode = "braze_id_too_long";

/** A user whose id no request can carry is not in Braze, whatever the ledger says. */
const isTooLong = `strlen(user_id) > ${maxUserIdBytes}`;

/** Who moves: the former state, what the exception said if there was one, and whether the last run wanted the user as member. */
export const movingColumns =
  "user_id VARCHAR, former VARCHAR, attempts INTEGER, reason VARCHAR, since VARCHAR, in_base BOOLEAN";

/**
 * Fills three temporary tables with whoever is not, or not surely, as desired: `entered` and `exited` (`movingColumns`), in
 * byte order, and `kept`: exceptions that are carried over unsent. An exception that says what is desired is in none.
 */
export async function findChanges(session: Session, input: ChangesInput): Promise<void> {
  await session.run(`CREATE OR REPLACE TEMP TABLE entered (${movingColumns})`);
  await session.run(`CREATE OR REPLACE TEMP TABLE exited (${movingColumns})`);
  await session.run(`CREATE OR REPLACE TEMP TABLE kept (${exceptionColumns})`);
  const { wrong = null } = input;
  const sets = [input.desired, input.base, input.exceptions, wrong].filter((set) => set !== null);
  for (const { condition, values } of await idRanges(session, sets)) {
    await session.run(`CREATE OR REPLACE TEMP TABLE changes AS ${changesSql(input, condition)}`, {
      ...values,
      at: input.at,
    });
    for (const direction of ["entered", "exited"]) {
      await session.run(
        `INSERT INTO ${direction} SELECT user_id, state, attempts, reason, since, in_base FROM changes
          WHERE kind = '${direction}' ORDER BY user_id`,
      );
    }
    await session.run(
      "INSERT INTO kept SELECT user_id, state, reason, since, attempts, retry_at FROM changes WHERE kind = 'kept'",
    );
  }
  await session.run("DROP TABLE IF EXISTS changes");
}

function changesSql(input: ChangesInput, range: string): string {
  const within = `${range} AND ${suspects(input)}`;
  const { wrong = null } = input;
  return `
    SELECT user_id, state, in_base, coalesce(attempts, 0) AS attempts,
      CASE WHEN too_long OR rests THEN 'kept' WHEN is_desired THEN 'entered' ELSE 'exited' END AS kind,
      CASE WHEN too_long THEN '${tooLong}' ELSE found.reason END AS reason,
      CASE WHEN too_long AND found.reason IS DISTINCT FROM '${tooLong}' THEN $at ELSE found.since END AS since,
      CASE WHEN NOT too_long THEN found.retry_at END AS retry_at
    FROM (
      SELECT user_id, desired.member IS NOT NULL AS is_desired, base.member IS NOT NULL AS in_base, ${isTooLong} AS too_long,
        attempts, reason, since, retry_at,
        CASE WHEN ${isTooLong} THEN 'absent' WHEN known.state IS NOT NULL THEN known.state
          WHEN wrong.member IS NOT NULL THEN 'unknown' WHEN base.member IS NOT NULL THEN 'present' ELSE 'absent' END AS known_state,
        ${input.resync} AND is_desired AND NOT too_long AS anew,
        CASE WHEN anew AND known_state = 'present' THEN 'unknown' ELSE known_state END AS state,
        known.state IS NOT NULL AND ${isRejectedSql} AND (retry_at IS NULL OR retry_at > $at) AND NOT ${input.resync} AS rests
      FROM ${members(input.desired, within)} AS desired
      FULL JOIN ${members(input.base, within)} AS base USING (user_id)
      FULL JOIN ${known(input.exceptions, range)} AS known USING (user_id)
      FULL JOIN ${members(wrong, range)} AS wrong USING (user_id)
    ) AS found
    WHERE state <> CASE WHEN is_desired THEN 'present' ELSE 'absent' END`;
}

/** Where the base is the desired set itself, only exceptions, users found wrong and ids that are too long can make a difference. */
function suspects({ desired, base, exceptions, wrong = null, resync }: ChangesInput): string {
  if (resync || desired === null || desired.ref.sha256 !== base?.ref.sha256) return "true";
  const named = [exceptions, wrong]
    .filter((set) => set !== null)
    .map((set) => `SELECT user_id FROM ${parquet([set.path])}`);
  return named.length === 0 ? isTooLong : `(${isTooLong} OR user_id IN (${named.join(" UNION ALL ")}))`;
}

function members(set: LocalFile | null, condition: string): string {
  const source = set === null ? "(SELECT NULL::VARCHAR AS user_id WHERE false)" : parquet([set.path]);
  return `(SELECT user_id, true AS member FROM ${source} WHERE ${condition})`;
}

function known(exceptions: LocalFile | null, condition: string): string {
  if (exceptions !== null) return `(SELECT * FROM ${parquet([exceptions.path])} WHERE ${condition})`;
  const nulls = exceptionColumns
    .split(", ")
    .map((column) => column.replace(/(\w+) (\w+)/, "NULL::$2 AS $1"))
    .join(", ");
  return `(SELECT ${nulls} WHERE false)`;
}
