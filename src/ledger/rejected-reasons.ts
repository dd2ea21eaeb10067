import type { LedgerRef } from "../contracts/log.ts";
import type { RejectedReasons } from "../contracts/rejected.ts";
import { isRejectedSql } from "./exceptions.ts";
import type { LedgerDeps } from "./ledger-deps.ts";
import type { ConnectorLog } from "./log.ts";
import { parquet } from "./sql.ts";

/**
 * For which reasons Braze rejects how many users, by channel, the most first, as the newest closed run left it. Reads only.
 * Throws `ledger_missing` where a file of that run is not there or not whole.
 */
export async function rejectedReasons(deps: LedgerDeps, log: ConnectorLog): Promise<RejectedReasons> {
  const results: RejectedReasons["results"] = [];
  for (const ledger of await newestLedgers(log)) results.push(...(await countReasons(deps, ledger)));
  return { results };
}

/** While a run is open, its predecessor's commit is the newest. */
async function newestLedgers(log: ConnectorLog): Promise<LedgerRef[]> {
  const { lastNumber, commit } = await log.end();
  const newest = commit ?? (lastNumber > 1 ? await log.commit(lastNumber - 1) : undefined);
  return newest?.channels ?? [];
}

async function countReasons(
  { files, duckdb }: LedgerDeps,
  { channel, counts, exceptions }: LedgerRef,
): Promise<RejectedReasons["results"]> {
  if (exceptions === null || counts.rejected === 0) return [];
  const found = await files.use([exceptions], (paths) =>
    duckdb.use(async (session) => {
      const [json] = await session.row(
        `SELECT to_json(list({ reason: reason, users: users } ORDER BY users DESC, reason))::VARCHAR
         FROM (SELECT reason, count(*) AS users FROM ${parquet(paths)} WHERE ${isRejectedSql} GROUP BY reason)`,
      );
      return typeof json === "string" ? (JSON.parse(json) as { reason: string; users: number }[]) : [];
    }),
  );
  return found.map((row) => ({ channel, ...row }));
}
