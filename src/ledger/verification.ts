import type { FileRef, LedgerRef } from "../contracts/log.ts";
import type { Session } from "./duckdb.ts";
import { newWrongKey } from "./file-keys.ts";
import type { LedgerDeps } from "./ledger-deps.ts";
import { copyToParquet, parquet } from "./sql.ts";

/** A user of whom the ledger is sure what Braze shows. */
export interface ExpectedUser {
  userId: string;
  isMember: boolean;
}

export interface ChooseInput {
  ledger: Pick<LedgerRef, "base" | "exceptions">;
  /** Parts whose users are chosen from. */
  parts: readonly FileRef[];
  /** Members are chosen as well, whoever wrote them. */
  fromBase: boolean;
  /** Parts whose users may still be on their way in Braze: nobody of them is chosen. */
  recent: readonly FileRef[];
  /** Users at most. */
  users: number;
  /** Another seed chooses others; the same one the same, so that a repeated attempt asks what the first one asked. */
  seed: number;
  signal?: AbortSignal | undefined;
}

/** Parts that are read at most: those of a load of millions would be gigabytes for a sample of hundreds. */
const maxParts = 10;
/** Of a sample from the base too, so much is left to those who were written of late: the base does not hold who exited. */
const writtenShare = 0.2;

/**
 * Chooses users of whom the ledger knows what Braze shows: no exceptions, nobody written within the quiet window. In byte order.
 * Throws `ledger_missing` where a file is not whole.
 */
export async function chooseUsers(
  { duckdb, files }: LedgerDeps,
  input: ChooseInput,
): Promise<ExpectedUser[]> {
  const { ledger, recent, users, fromBase, signal } = input;
  const parts = spread(input.parts, maxParts);
  const refs = [...[ledger.base, ledger.exceptions].filter((ref) => ref !== null), ...parts, ...recent];
  return await files.use(refs, (paths) => {
    const pathsOf = (some: readonly (FileRef | null)[]) =>
      some.flatMap((ref) => (ref === null ? [] : [paths[refs.indexOf(ref)] ?? ""]));
    const base = pathsOf([ledger.base]);
    return duckdb.use(async (session) => {
      await session.run("CREATE TEMP TABLE chosen (user_id VARCHAR)");
      const unsure = pathsOf([ledger.exceptions, ...recent]);
      const choose = (from: readonly string[], limit: number) =>
        chooseFrom(session, from, unsure, { limit, seed: input.seed });
      const written = await choose(pathsOf(parts), fromBase ? Math.floor(users * writtenShare) : users);
      if (fromBase) await choose(base, users - written);
      return await chosenUsers(session, base);
    }, signal);
  });
}

/** Adds up to `limit` users of some files, by the order of a hash: evenly over all, and the same ones for the same seed. */
async function chooseFrom(
  session: Session,
  from: readonly string[],
  unsure: readonly string[],
  { limit, seed }: { limit: number; seed: number },
): Promise<number> {
  if (from.length === 0 || limit <= 0) return 0;
  const left = unsure.length === 0 ? "" : `WHERE user_id NOT IN (SELECT user_id FROM ${parquet(unsure)})`;
  return await session.run(
    `INSERT INTO chosen SELECT user_id FROM (SELECT DISTINCT user_id FROM ${parquet(from)} ${left})
      WHERE user_id NOT IN (SELECT user_id FROM chosen) ORDER BY hash(user_id, ${seed}), user_id LIMIT ${limit}`,
  );
}

/** They leave DuckDB as one JSON text: its column reader drops a leading U+FEFF. */
async function chosenUsers(session: Session, base: readonly string[]): Promise<ExpectedUser[]> {
  const isMember =
    base.length === 0
      ? "false"
      : `user_id IN (SELECT user_id FROM ${parquet(base)} SEMI JOIN chosen USING (user_id))`;
  const [json] = await session.row(
    `SELECT coalesce(to_json(list({userId: user_id, isMember: ${isMember}} ORDER BY user_id))::VARCHAR, '[]') FROM chosen`,
  );
  return JSON.parse(String(json)) as ExpectedUser[];
}

/** At most so many, from the first to the last at even distances. */
function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, index) => all[Math.floor((index * all.length) / most)]).filter(
    (one) => one !== undefined,
  );
}

export interface PublishWrongInput {
  folder: string;
  number: number;
  userIds: readonly string[];
}

/** Keeps the users who were found wrong as a file: the next step takes it by reference, and no history names them. */
export async function publishWrong(
  { duckdb, files, scratch }: LedgerDeps,
  { folder, number, userIds }: PublishWrongInput,
): Promise<FileRef> {
  return await scratch.withFolder(async (work) => {
    const path = `${work}/wrong.parquet`;
    const rows = await duckdb.use(async (session) => {
      await session.run("CREATE TEMP TABLE wrong (user_id VARCHAR)");
      await session.run(`INSERT INTO wrong SELECT unnest(from_json($userIds, '["VARCHAR"]'))`, {
        userIds: JSON.stringify(userIds),
      });
      return await session.run(copyToParquet("SELECT DISTINCT user_id FROM wrong ORDER BY user_id", path));
    });
    return await files.publish(path, newWrongKey(folder, number), rows);
  });
}
