import type { Direction } from "../contracts/channel.ts";
import type { FileRef } from "../contracts/log.ts";
import { doubtfulReject } from "../contracts/run.ts";
import type { PartProgress } from "../contracts/run.ts";
import type { Session } from "./duckdb.ts";
import type { WaitingReason } from "./exceptions.ts";
import type { RejectsByCode } from "./rejects.ts";
import { lastDistinctAttempt, retryAt } from "./retry-rule.ts";
import { parquet, sqlText } from "./sql.ts";

/** What became of a part's users, as far as they are not all settled. */
export type PartFate =
  /** All alike: they keep their former state (never sent), or theirs is unknown. */
  | { kind: "whole"; state: "former" | "unknown"; reason: WaitingReason }
  /** Settled before the cursor, unknown up to `attemptedTo`, never sent after it. */
  | { kind: "progress"; progress: PartProgress; attemptedTo: number; rejects: RejectsByCode };

export interface UnsettledPart {
  direction: Direction;
  ref: FileRef;
  fate: PartFate;
}

/** What a user of this direction is once Braze has acknowledged; no exception says the same as the new base. */
const settledState = { entered: "present", exited: "absent" } as const;

/** Adds the exceptions that a part leaves behind to the table `exceptions`. `at` is ISO 8601, comparable as text. */
export async function addUnsettled(
  session: Session,
  { direction, fate, ref }: UnsettledPart,
  path: string,
  at: string,
): Promise<void> {
  const users = parquet([path]);
  const verdict =
    fate.kind === "whole"
      ? wholeSql(fate, users)
      : await progressSql(session, fate, users, { rows: ref.rows, at });
  await session.run(
    `INSERT INTO exceptions SELECT user_id, state, reason, $at, attempts, retry_at FROM (${verdict})
      WHERE state <> ${sqlText(settledState[direction])}`,
    { at },
  );
}

function wholeSql(fate: PartFate & { kind: "whole" }, users: string): string {
  const state = fate.state === "former" ? "former" : "'unknown'";
  return `SELECT user_id, ${state} AS state, ${sqlText(fate.reason)} AS reason, attempts, NULL AS retry_at FROM ${users}`;
}

async function progressSql(
  session: Session,
  { progress, attemptedTo, rejects }: PartFate & { kind: "progress" },
  users: string,
  { rows, at }: { rows: number; at: string },
): Promise<string> {
  await fillRejected(session, rejects, at);
  const cursor = Math.min(progress.cursor, rows);
  const sentTo = Math.max(cursor, Math.min(attemptedTo, rows));
  // A reject past the cursor is not settled: its batch may be on its way again, so its user is unknown like its neighbours.
  return `
    WITH users AS (SELECT *, row_number() OVER (ORDER BY user_id) - 1 AS place FROM ${users})
    SELECT user_id, CASE WHEN doubtful THEN 'unknown' ELSE former END AS state, code AS reason, attempts + 1 AS attempts,
        retry_times[least(attempts + 1, len(retry_times))] AS retry_at
      FROM users JOIN rejected USING (place) WHERE place < ${cursor}
    UNION ALL
    SELECT user_id, CASE WHEN place < ${sentTo} THEN 'unknown' ELSE former END,
        CASE WHEN place < ${sentTo} THEN 'unanswered' ELSE 'not_sent' END, attempts, NULL
      FROM users WHERE place >= ${cursor}`;
}

/** One row for each rejected place, with when it may be tried again after its 1st, 2nd … rejection. */
async function fillRejected(session: Session, rejects: RejectsByCode, at: string): Promise<void> {
  await session.run(
    "CREATE OR REPLACE TEMP TABLE rejected (place BIGINT PRIMARY KEY, code VARCHAR, doubtful BOOLEAN, retry_times VARCHAR[])",
  );
  for (const [named, places] of Object.entries(rejects)) {
    const doubtful = named.startsWith(doubtfulReject);
    const code = doubtful ? named.slice(doubtfulReject.length) : named;
    const times = Array.from({ length: lastDistinctAttempt }, (_, index) => retryAt(code, index + 1, at));
    await session.run(
      `INSERT OR IGNORE INTO rejected
        SELECT unnest(from_json($places, '["BIGINT"]')), $code, $doubtful, from_json($times, '["VARCHAR"]')`,
      { places: JSON.stringify(places), code, doubtful, times: JSON.stringify(times) },
    );
  }
}
