import type { ConnectorKey } from "../contracts/connector-id.ts";
import type { ExplainOptions, Explanation } from "../contracts/explain.ts";
import type { ChannelPlan, FileRef, LedgerRef } from "../contracts/log.ts";
import type { RejectedReasons } from "../contracts/rejected.ts";
import type { Rejects } from "../contracts/run.ts";
import type { Storage } from "../storage/storage.ts";
import { abandonRun, settleLedger } from "./commit.ts";
import type { AbandonInput, SettleInput } from "./commit.ts";
import { diffChannels } from "./diff.ts";
import type { DiffInput } from "./diff.ts";
import { createDuckDb } from "./duckdb.ts";
import { explainUser } from "./explain.ts";
import { createLedgerFiles } from "./files.ts";
import type { LedgerDeps } from "./ledger-deps.ts";
import { ConnectorLog } from "./log.ts";
import { readPart } from "./parts.ts";
import { rejectedReasons } from "./rejected-reasons.ts";
import { publishRejects, readRejects } from "./rejects.ts";
import type { RejectsByCode } from "./rejects.ts";
import { openScratch } from "./scratch.ts";
import { createSnapshot, publishSnapshot } from "./snapshot.ts";
import type { PublishSnapshotInput, SnapshotBuilder } from "./snapshot.ts";
import { chooseUsers, publishWrong } from "./verification.ts";
import type { ChooseInput, ExpectedUser, PublishWrongInput } from "./verification.ts";

export interface LedgerOptions {
  storage: Storage;
  /** A folder for spilled and half-made files; a folder of this process is made in it. */
  scratchDir: string;
  /** Such as `2GB`. */
  memoryLimit: string;
  /** All cores when left out. */
  threads?: number | undefined;
}

/** What we know Braze holds, and everything that is done with it; one per process. Each method's module says what it throws. */
export interface Ledger {
  /** The runs and settings of one connector. */
  log(key: ConnectorKey): ConnectorLog;
  createSnapshot(signal?: AbortSignal): SnapshotBuilder;
  publishSnapshot(input: PublishSnapshotInput): Promise<FileRef>;
  diffChannels(input: DiffInput): Promise<ChannelPlan[]>;
  readPart(ref: FileRef): Promise<string[]>;
  publishRejects(folder: string, number: number, inline: RejectsByCode): Promise<FileRef>;
  readRejects(rejects: Rejects): Promise<RejectsByCode>;
  chooseUsers(input: ChooseInput): Promise<ExpectedUser[]>;
  publishWrong(input: PublishWrongInput): Promise<FileRef>;
  settleLedger(input: SettleInput): Promise<LedgerRef[]>;
  abandonRun(input: AbandonInput): Promise<LedgerRef[]>;
  /** One user's timeline. The id is in no error and no log. */
  explain(key: ConnectorKey, userId: string, options: ExplainOptions): Promise<Explanation>;
  /** For which reasons Braze rejects how many users. */
  rejectedReasons(key: ConnectorKey): Promise<RejectedReasons>;
  /** Ends DuckDB and removes this process's scratch files. */
  close(): Promise<void>;
}

export async function createLedger({
  storage,
  scratchDir,
  memoryLimit,
  threads,
}: LedgerOptions): Promise<Ledger> {
  const scratch = await openScratch(scratchDir);
  const duckdb = createDuckDb({ memoryLimit, threads, spillFolder: scratch.spillFolder });
  const deps: LedgerDeps = { duckdb, scratch, files: createLedgerFiles(storage, scratch) };
  return {
    log: (key) => new ConnectorLog(storage, key),
    createSnapshot: (signal) => createSnapshot(deps, signal),
    publishSnapshot: (input) => publishSnapshot(deps, input),
    diffChannels: (input) => diffChannels(deps, input),
    readPart: (ref) => readPart(deps, ref),
    publishRejects: (folder, number, inline) => publishRejects(deps, folder, number, inline),
    readRejects: (rejects) => readRejects(deps, rejects),
    chooseUsers: (input) => chooseUsers(deps, input),
    publishWrong: (input) => publishWrong(deps, input),
    settleLedger: (input) => settleLedger(deps, input),
    abandonRun: (input) => abandonRun(deps, input),
    explain: (key, userId, options) =>
      explainUser(deps, new ConnectorLog(storage, key), key, userId, options),
    rejectedReasons: (key) => rejectedReasons(deps, new ConnectorLog(storage, key)),
    async close() {
      await duckdb.close();
      await scratch.close();
    },
  };
}
