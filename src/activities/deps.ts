import type { JSONWebKeySet } from "jose";
import type { Logger } from "pino";
import type { Braze } from "../braze/workspace.ts";
import type { Pace } from "../contracts/run.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Segops } from "../segops/client.ts";
import type { Storage } from "../storage/storage.ts";

/** What the activities are closed over: made once per process by the worker. */
export interface ActivityDeps {
  storage: Storage;
  /** The id that the storage had when the worker started. */
  storageId: string;
  ledger: Ledger;
  segops: Segops;
  braze: Braze;
  /** The private keys that open stored Braze keys. */
  sealingKeys: JSONWebKeySet;
  allowedOrigins: readonly string[];
  scratchDir: string;
  /** How long one attempt at a part may send. */
  partSeconds: number;
  /** How long after the close of a run the users that it wrote are left alone. */
  quietWindowMs: number;
  /** How many users a run reads back from Braze at most, of those that runs before it wrote. */
  verifySampleUsers: number;
  pace: Pace;
  /** Files of the ledger that no kept entry names go after this. */
  cleanUpAfterMs: number;
  log: Logger;
  /** At most so many sets are fetched, compared or settled at once in this process: DuckDB's memory is shared. */
  heavy: <T>(work: () => Promise<T>) => Promise<T>;
}
