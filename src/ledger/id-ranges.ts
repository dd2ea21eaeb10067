import type { FileRef } from "../contracts/log.ts";
import type { Session, SqlValues } from "./duckdb.ts";
import { parquet } from "./sql.ts";

/** A slice of all ids, as an SQL condition on `user_id` and its values. */
export interface IdRange {
  condition: string;
  values: SqlValues;
}

/** Rows that are joined at once. Larger joins of whole sets ran out of memory where these pass (reference: DuckDB, diff). */
const rowsAtOnce = 2_000_000;

/**
 * Cuts all ids into ranges of about equal work, in byte order. The cut points are ids of the largest set, read from its data:
 * Parquet's statistics are cut at 256 bytes. However good the points, the ranges cover every id once.
 */
export async function idRanges(
  session: Session,
  sets: readonly { path: string; ref: FileRef }[],
): Promise<IdRange[]> {
  const total = sets.reduce((rows, { ref }) => rows + ref.rows, 0);
  const largest = sets.toSorted((a, b) => b.ref.rows - a.ref.rows)[0];
  if (largest === undefined || total <= rowsAtOnce) return [{ condition: "true", values: {} }];
  const step = Math.ceil((largest.ref.rows * rowsAtOnce) / total);
  const [cuts] = await session.row(
    `SELECT coalesce(to_json(list(user_id ORDER BY user_id))::VARCHAR, '[]') FROM (SELECT user_id FROM ${parquetWithRowNumbers(largest.path)}
      WHERE file_row_number > 0 AND file_row_number % ${step} = 0)`,
  );
  return rangesBetween(JSON.parse(String(cuts)) as string[]);
}

function rangesBetween(cuts: readonly string[]): IdRange[] {
  return [undefined, ...cuts].map((from, index) => {
    const to = cuts[index];
    const bounds = [
      from === undefined ? [] : ["user_id >= $from"],
      to === undefined ? [] : ["user_id < $to"],
    ];
    return {
      condition: bounds.flat().join(" AND ") || "true",
      values: { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) },
    };
  });
}

function parquetWithRowNumbers(path: string): string {
  return parquet([path]).replace(/\)$/, ", file_row_number = true)");
}
