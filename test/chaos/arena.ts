import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Process } from "../../sandbox/process.ts";
import { startTemporalServer, type TemporalServer } from "../../sandbox/temporal/server.ts";
import { startStage, type Stage } from "../integration/harness.ts";
import { largestApplyDelayMs } from "./script.ts";
import { StorageFaults } from "./storage-faults.ts";
import { writeBundle } from "./workflow-bundle.ts";

/** How long an attempt at a part may send, in seconds. */
export const partSeconds = 3;
const spareSeconds = 3;
/** As DESIGN says of the real one: Braze's largest delay, a dead attempt's time, and a spare. */
const quietWindowSeconds = largestApplyDelayMs / 1000 + partSeconds + spareSeconds;

const workerEnv = {
  PART_SECONDS: String(partSeconds),
  QUIET_WINDOW_SECONDS: String(quietWindowSeconds),
  CONTINUE_AS_NEW_AFTER_RUNS: "6",
  DUCKDB_THREADS: "1",
};
const workerEntry = new URL("./faulty-worker.ts", import.meta.url);
const workerCount = 2;

/** The real parts and the levers to break them; what each lever did is for the caller to count. */
export class Arena {
  readonly stage: Stage;
  readonly storageFaults: StorageFaults;
  /** A worker that ended without being told to, and what it said last. */
  readonly crashes: string[] = [];
  readonly #workers: (Process | undefined)[] = [];
  readonly #doomed = new Set<Process>();
  readonly #resuming = new Set<Promise<void>>();
  #temporal: TemporalServer;
  #temporalUp: Promise<void> = Promise.resolve();

  constructor(stage: Stage) {
    this.stage = stage;
    this.storageFaults = new StorageFaults(storageUrl(stage));
    this.#temporal = stage.stack.temporal;
  }

  static async open(): Promise<Arena> {
    const arena = new Arena(await startStage({ env: workerEnv, keepTemporal: true, workerEntry }));
    try {
      await writeBundle(storageUrl(arena.stage));
      await arena.storageFaults.clear();
      await arena.mend();
    } catch (error) {
      await arena.close();
      throw error;
    }
    return arena;
  }

  get dir(): string {
    return this.stage.dir;
  }

  /** kill -9; another worker takes its place after a while. Answers whether there was one to kill. */
  async killWorker(index: number): Promise<boolean> {
    const worker = this.#workers[index];
    if (!worker) return false;
    this.#workers[index] = undefined;
    this.#doomed.add(worker);
    await worker.kill();
    this.#keep(this.#startWorker(index));
    return true;
  }

  /** SIGSTOP now, SIGCONT after `ms`. Answers whether there was one to stop. */
  stopWorker(index: number, ms: number): boolean {
    const worker = this.#workers[index];
    if (!worker) return false;
    worker.pause();
    this.#keep(delay(ms).then(() => worker.resume()));
    return true;
  }

  /** kill -9 of Temporal's server; a new one on the same port and file after `ms`. */
  async killTemporal(ms: number): Promise<boolean> {
    await this.#temporalUp;
    const { port } = this.#temporal;
    await this.#temporal.kill();
    const [dbFile, logFile] = [join(this.dir, "temporal.db"), join(this.dir, "temporal.log")];
    this.#temporalUp = delay(ms).then(async () => {
      this.#temporal = await startTemporalServer({ port, dbFile, logFile });
    });
    this.#keep(this.#temporalUp);
    return true;
  }

  /** For `ms` nothing can be read from or written to a connector's folder of parts: a file is where it belongs. */
  async obstruct(folder: string, ms: number): Promise<boolean> {
    const [path, aside] = [
      join(this.#storageDir(), folder, "parts"),
      join(this.#storageDir(), folder, ".parts-aside"),
    ];
    await mkdir(path, { recursive: true });
    await rename(path, aside);
    await writeFile(path, "in the way");
    this.#keep(
      delay(ms).then(async () => {
        await rm(path, { force: true });
        await rename(aside, path);
      }),
    );
    return true;
  }

  /** What a crash leaves behind: files that nothing names, one of them cut short. */
  async strew(folder: string): Promise<boolean> {
    for (const name of [
      "snapshots/stray.parquet",
      "parts/stray/entered-0001.parquet",
      "exceptions/stray.parquet",
    ]) {
      const path = join(this.#storageDir(), folder, name);
      await mkdir(join(path, ".."), { recursive: true });
      await writeFile(path, "PAR1 and then nothing");
    }
    return true;
  }

  /** Waits for all that was to come back, and starts what is missing. */
  async mend(): Promise<void> {
    while (this.#resuming.size > 0) await Promise.all(this.#resuming);
    const indexes = Array.from({ length: workerCount }, (_, index) => index);
    await Promise.all(
      indexes.filter((index) => !this.#workers[index]).map((index) => this.#startWorker(index)),
    );
  }

  /** Ends everything at once; the folder stays. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#resuming);
    for (const worker of this.#workers) if (worker) this.#doomed.add(worker);
    await this.stage.stack.kill();
    await this.#temporal.kill();
  }

  async #startWorker(index: number): Promise<void> {
    await this.#temporalUp;
    const worker = await this.stage.startWorker().catch(async () => {
      // Temporal may have been killed while it started.
      await this.#temporalUp;
      return await this.stage.startWorker();
    });
    this.#workers[index] = worker;
    void worker.exited.then(({ code, signal }) => {
      if (this.#doomed.has(worker)) return;
      if (this.#workers[index] === worker) this.#workers[index] = undefined;
      const last = worker.output().slice(-3).join(" | ").slice(0, 600);
      this.crashes.push(`a worker ended by itself (${signal ?? `exit code ${code}`}): ${last}`);
    });
  }

  /** Its failure is thrown by `mend`. */
  #keep(promise: Promise<void>): void {
    const kept = promise.finally(() => this.#resuming.delete(kept));
    kept.catch(() => undefined);
    this.#resuming.add(kept);
  }

  #storageDir(): string {
    return storageUrl(this.stage).slice("file:".length);
  }
}

function storageUrl(stage: Stage): string {
  return stage.stack.env["STORAGE_URL"] ?? "";
}
