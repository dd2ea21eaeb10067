import { CodedError } from "../contracts/errors.ts";
import type { FileRef } from "../contracts/log.ts";
import type { LedgerDeps } from "./ledger-deps.ts";
import { parquet } from "./sql.ts";

/**
 * The ids of a part, in byte order, exactly as SegOps sent them. Throws `ledger_missing` where its file is not whole.
 * They leave DuckDB as one JSON text: its column reader drops a leading U+FEFF.
 */
export async function readPart({ duckdb, files }: LedgerDeps, ref: FileRef): Promise<string[]> {
  return files.use([ref], (paths) =>
    duckdb.use(async (session) => {
      const [json] = await session.row(
        `SELECT coalesce(to_json(list(user_id ORDER BY user_id))::VARCHAR, '[]') FROM ${parquet(paths)}`,
      );
      const ids = JSON.parse(String(json)) as string[];
      if (ids.length !== ref.rows) throw new CodedError("ledger_missing", ref.key);
      return ids;
    }),
  );
}
