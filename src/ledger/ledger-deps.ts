import type { DuckDb } from "./duckdb.ts";
import type { LedgerFiles } from "./files.ts";
import type { Scratch } from "./scratch.ts";

/** What every step of the ledger works with. */
export interface LedgerDeps {
  duckdb: DuckDb;
  files: LedgerFiles;
  scratch: Scratch;
}
