import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { FileRef } from "../../src/contracts/log.ts";

/** Reasons of exceptions that are no rejection (src/ledger/exceptions.ts says the same; the checker must not lean on it). */
const waiting = ["unanswered", "not_sent", "abandoned", "quiet", "held"];

/** The ledger's files as they lie in storage, read by no code of the ledger's. */
export class LedgerFiles {
  readonly #connection: DuckDBConnection;
  readonly #dir: string;

  constructor(connection: DuckDBConnection, dir: string) {
    this.#connection = connection;
    this.#dir = dir;
  }

  async users(refs: readonly FileRef[]): Promise<string[]> {
    return (await this.#rows("user_id", refs)).map(({ user_id }) => user_id);
  }

  async rejected(ref: FileRef | null | undefined): Promise<Map<string, string>> {
    const rows = ref ? await this.#rows("user_id, reason", [ref]) : [];
    return new Map(
      rows.filter(({ reason }) => !waiting.includes(reason)).map((row) => [row.user_id, row.reason]),
    );
  }

  /** Whose exit waits for a person, with the state that the ledger knows of. */
  async held(ref: FileRef | null | undefined): Promise<Map<string, string>> {
    const rows = ref ? await this.#rows("user_id, reason, state", [ref]) : [];
    return new Map(rows.filter(({ reason }) => reason === "held").map((row) => [row.user_id, row.state]));
  }

  async #rows(columns: string, refs: readonly FileRef[]): Promise<LedgerRow[]> {
    if (refs.length === 0) return [];
    const paths = refs.map(({ key }) => `'${join(this.#dir, key).replaceAll("'", "''")}'`).join(", ");
    const rows = await this.#connection.runAndReadAll(`SELECT ${columns} FROM read_parquet([${paths}])`);
    return rows.getRowObjectsJS() as unknown as LedgerRow[];
  }
}

interface LedgerRow {
  user_id: string;
  reason: string;
  state: string;
}
