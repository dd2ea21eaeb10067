import { CodedError } from "../contracts/errors.ts";
import type { FileRef } from "../contracts/log.ts";
import type { LedgerDeps } from "./ledger-deps.ts";
import { parquet } from "./sql.ts";

/** A user's row in a file of the ledger, by column; undefined: not in it. */
export type UserRow = Record<string, unknown> | undefined;

/** Looks one user up, file after file; each file is asked once. */
export interface UserFinder {
  /**
   * The user's row in the first of the files that has one; `gone` where one of the files is missing altogether. A file that is
   * there and is not whole is `ledger_missing`.
   */
  find(refs: readonly FileRef[]): Promise<UserRow | "gone">;
}

/** Half of a surrogate pair: no file can hold such an id, and UTF-8 would turn it into another one. */
const loneSurrogate = /\p{Surrogate}/u;

export function createUserFinder(deps: LedgerDeps, userId: string): UserFinder {
  const answers = new Map<string, Promise<UserRow | "gone">>();
  return {
    async find(refs) {
      if (refs.length === 0 || loneSurrogate.test(userId)) return undefined;
      const name = refs.map((ref) => ref.key).join(" ");
      const answer = answers.get(name) ?? lookUp(deps, refs, userId);
      answers.set(name, answer);
      return await answer;
    },
  };
}

async function lookUp(
  { files, duckdb }: LedgerDeps,
  refs: readonly FileRef[],
  userId: string,
): Promise<UserRow | "gone"> {
  try {
    return await files.use(refs, (paths) =>
      duckdb.use(async (session) => {
        const [json] = await session.row(
          `SELECT to_json(found)::VARCHAR FROM ${parquet(paths)} AS found WHERE user_id = ${exactText(userId)} LIMIT 1`,
        );
        return typeof json === "string" ? (JSON.parse(json) as UserRow) : undefined;
      }),
    );
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== "ledger_missing") throw error;
    for (const ref of refs) if (!(await files.isThere(ref))) return "gone";
    throw error;
  }
}

/** Every byte as it is, and still a constant, so that DuckDB reads only the row groups that may hold it. */
function exactText(text: string): string {
  return `decode(from_hex('${Buffer.from(text).toString("hex")}'))`;
}
