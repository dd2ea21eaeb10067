import type { FileRef } from "../contracts/log.ts";
import type { Session } from "./duckdb.ts";
import { newHeldKey } from "./file-keys.ts";
import type { LedgerDeps } from "./ledger-deps.ts";
import { keepRows } from "./quiet.ts";
import { copyToParquet, parquet } from "./sql.ts";

/** What a channel's exits are measured against. */
export interface RemovalGuard {
  /** Users who were present before the run, or perhaps so. */
  audience: number;
  /** Members that SegOps names now. */
  members: number;
  /** `max_removal_percent` of the configuration. */
  maxPercent: number;
  /** Exits that a person has let go: the sets that were held. */
  approved: readonly FileRef[];
}

/** So few exits are never held, whatever share they are. */
const freeExits = 100;
/** An audience of at least so many is not emptied without a person. */
const smallestGuarded = 10;

/** Whether so many exits at once look like a source gone wrong rather than people who left. */
export function areExitsHeld(exits: number, { audience, members, maxPercent }: RemovalGuard): boolean {
  if (exits === 0) return false;
  if (members === 0 && audience >= smallestGuarded) return true;
  return exits > freeExits && exits > (audience * maxPercent) / 100;
}

interface HoldOptions {
  folder: string;
  number: number;
  at: string;
  pathOf: (ref: FileRef) => string;
}

/**
 * Moves exits from `exited` to `kept` where there are too many, and keeps them as a file of their own, which a person may
 * approve; null where nothing is held. Only exits that no run has begun yet count, and no approved ones.
 */
export async function holdRemovals(
  { files, scratch }: LedgerDeps,
  session: Session,
  guard: RemovalGuard,
  { folder, number, at, pathOf }: HoldOptions,
): Promise<FileRef | null> {
  await session.run(`CREATE OR REPLACE TEMP TABLE held AS ${freshExits(guard.approved.map(pathOf))}`);
  const [exits] = await session.row("SELECT count(*) FROM held");
  if (!areExitsHeld(Number(exits), guard)) return null;
  await session.run(
    `INSERT INTO kept
      SELECT user_id, former, 'held', CASE WHEN reason = 'held' THEN since ELSE $at END, attempts, NULL
      FROM exited WHERE user_id IN (SELECT user_id FROM held)`,
    { at },
  );
  await keepRows(session, "exited", "user_id NOT IN (SELECT user_id FROM held)");
  return await scratch.withFolder(async (work) => {
    const path = `${work}/held.parquet`;
    const rows = await session.run(copyToParquet("SELECT user_id FROM held ORDER BY user_id", path));
    return await files.publish(path, newHeldKey(folder, number), rows);
  });
}

/**
 * Whoever the last run wanted as member, also one of whom Braze has not answered, and who is held since. Any other exit was let go by
 * an earlier run, and counted then.
 */
function freshExits(approvedPaths: readonly string[]): string {
  const approved =
    approvedPaths.length === 0 ? "false" : `user_id IN (SELECT user_id FROM ${parquet(approvedPaths)})`;
  return `SELECT user_id FROM exited WHERE in_base OR (coalesce(reason = 'held', false) AND NOT ${approved})`;
}
