import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../contracts/environment.ts";
import { openStorage } from "../storage/open-storage.ts";
import type { Storage } from "../storage/storage.ts";
import { createLedger } from "./ledger.ts";
import type { Ledger } from "./ledger.ts";

export interface OpenedLedger {
  storage: Storage;
  ledger: Ledger;
  scratchDir: string;
}

/** The ledger that the environment names, for any process that works with it or only looks something up. Close it in the end. */
export async function openLedger(environment: Environment, opened?: Storage): Promise<OpenedLedger> {
  const storage = opened ?? (await openStorage(environment.STORAGE_URL));
  const scratchDir = environment.SCRATCH_DIR ?? join(tmpdir(), "segops-braze");
  const memoryLimit = environment.DUCKDB_MEMORY_LIMIT;
  const threads = environment.DUCKDB_THREADS ?? availableParallelism();
  return { storage, scratchDir, ledger: await createLedger({ storage, scratchDir, memoryLimit, threads }) };
}
