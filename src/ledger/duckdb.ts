import { DuckDBInstance } from "@duckdb/node-api";
import type { DuckDBConnection } from "@duckdb/node-api";
import { CodedError } from "../contracts/errors.ts";

export interface DuckDbOptions {
  /** Such as `2GB`. DuckDB holds to it within some hundred megabytes and spills the rest. */
  memoryLimit: string;
  /** All cores when left out. */
  threads?: number | undefined;
  spillFolder: string;
}

export type SqlValues = Record<string, string | number | boolean | null>;

/** One connection for one piece of work; its temporary tables end with it. */
export interface Session {
  /** Runs a statement; answers how many rows it wrote. */
  run(sql: string, values?: SqlValues): Promise<number>;
  /** The first row. Whole numbers come as bigint where they are BIGINT. */
  row(sql: string, values?: SqlValues): Promise<unknown[]>;
}

export interface DuckDb {
  /** Lends a connection and closes it. When `signal` aborts, what runs is interrupted and the signal's reason thrown. */
  use<T>(work: (session: Session) => Promise<T>, signal?: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

/** One in-memory database for the process: memory limit and threads are shared by all that it does at once. */
export function createDuckDb(options: DuckDbOptions): DuckDb {
  let instance: Promise<DuckDBInstance> | undefined;
  const forget = () => (instance = undefined);
  const open = async () => {
    try {
      return await (instance ??= openInstance(options));
    } catch (error) {
      forget();
      throw sqlError(error, forget);
    }
  };
  return {
    async use(work, signal) {
      signal?.throwIfAborted();
      const connection = await (await open()).connect();
      const interrupt = () => connection.interrupt();
      signal?.addEventListener("abort", interrupt, { once: true });
      try {
        return await work(sessionOn(connection, forget, signal));
      } finally {
        signal?.removeEventListener("abort", interrupt);
        connection.closeSync();
      }
    },
    async close() {
      const opened = instance;
      forget();
      (await opened)?.closeSync();
    },
  };
}

function openInstance({ memoryLimit, threads, spillFolder }: DuckDbOptions): Promise<DuckDBInstance> {
  return DuckDBInstance.create(":memory:", {
    memory_limit: memoryLimit,
    temp_directory: spillFolder,
    // Files of equal content must be equal byte for byte, so rows are never written as threads happen to finish.
    preserve_insertion_order: "true",
    autoinstall_known_extensions: "false",
    ...(threads === undefined ? {} : { threads: String(threads) }),
  });
}

function sessionOn(connection: DuckDBConnection, forget: () => void, signal?: AbortSignal): Session {
  const guarded = async <T>(query: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted();
    try {
      return await query();
    } catch (error) {
      signal?.throwIfAborted();
      throw sqlError(error, forget);
    }
  };
  return {
    run: (sql, values) => guarded(async () => (await connection.run(sql, values)).rowsChanged),
    row: (sql, values) =>
      guarded(async () => (await connection.runAndReadAll(sql, values)).getRows()[0] ?? []),
  };
}

/** A failed statement, by DuckDB's kind alone (`Out of Memory`): its text quotes values and paths, and so user ids. */
export class SqlError extends CodedError {
  readonly kind: string;

  constructor(kind: string) {
    super(kind === "IO" ? "storage_unavailable" : "unexpected", `DuckDB: ${kind} Error`);
    this.kind = kind;
  }
}

function sqlError(error: unknown, forget: () => void): SqlError {
  const kind =
    /^([A-Za-z ]{1,40}) Error:/.exec(error instanceof Error ? error.message : "")?.[1] ?? "Unknown";
  // After one of these DuckDB refuses every further query, so the next piece of work opens a new instance.
  if (kind === "FATAL" || kind === "INTERNAL") forget();
  return new SqlError(kind);
}
