import type { FileRef } from "../contracts/log.ts";
import { movingColumns } from "./changes.ts";
import type { Session } from "./duckdb.ts";
import { parquet } from "./sql.ts";

/** What a run that has just closed wrote to one channel. */
export interface RecentWrites {
  /** The end of the quiet window: the close of the run, and the window. ISO 8601, comparable as text. */
  until: string;
  /** The parts of its plan. */
  parts: readonly FileRef[];
  /** The exceptions of its commit: those it never sent to are free. */
  exceptions: FileRef | null;
}

/**
 * Moves whoever a recent run wrote from `entered` and `exited` to `kept`. Braze applies requests in any order within minutes, and
 * a dead attempt may write for one more: a second, opposite write inside that time could lose to the first.
 * `leading`: what another channel keeps, which this one must not run ahead of. Whoever is quiet there waits here as well.
 */
export async function keepQuiet(
  session: Session,
  recent: readonly RecentWrites[],
  pathOf: (ref: FileRef) => string,
  at: string,
  leading: FileRef | null = null,
): Promise<void> {
  if (recent.length === 0 && leading === null) return;
  await session.run("CREATE OR REPLACE TEMP TABLE quiet (user_id VARCHAR, until VARCHAR)");
  for (const { until, parts, exceptions } of recent) {
    const unsent = exceptions
      ? `AND user_id NOT IN (SELECT user_id FROM ${parquet([pathOf(exceptions)])} WHERE reason = 'not_sent')`
      : "";
    await session.run(
      `INSERT INTO quiet SELECT user_id, $until FROM ${parquet(parts.map(pathOf))}
        WHERE user_id IN (SELECT user_id FROM entered UNION ALL SELECT user_id FROM exited) ${unsent}`,
      { until },
    );
  }
  if (leading !== null) {
    await session.run(
      `INSERT INTO quiet SELECT user_id, retry_at FROM ${parquet([pathOf(leading)])}
        WHERE reason = 'quiet' AND user_id IN (SELECT user_id FROM entered UNION ALL SELECT user_id FROM exited)`,
    );
  }
  for (const direction of ["entered", "exited"]) await keepQuietOf(session, direction, at);
}

async function keepQuietOf(session: Session, direction: string, at: string): Promise<void> {
  await session.run(
    `INSERT INTO kept
      SELECT user_id, any_value(former), 'quiet', any_value(CASE WHEN reason = 'quiet' THEN since ELSE $at END),
        any_value(attempts), max(until)
      FROM ${direction} JOIN quiet USING (user_id) GROUP BY user_id`,
    { at },
  );
  await keepRows(session, direction, "user_id NOT IN (SELECT user_id FROM quiet)");
}

/** Leaves only some rows in `entered` or `exited`, in a table without gaps: parts are cut by position. */
export async function keepRows(session: Session, direction: string, condition: string): Promise<void> {
  await session.run(`CREATE OR REPLACE TEMP TABLE staying (${movingColumns})`);
  await session.run(`INSERT INTO staying SELECT * FROM ${direction} WHERE ${condition} ORDER BY user_id`);
  await session.run(`DROP TABLE ${direction}`);
  await session.run(`ALTER TABLE staying RENAME TO ${direction}`);
}
