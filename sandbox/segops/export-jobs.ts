import { randomUUID } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { writeExportFile } from "./export-file.ts";
import type { ExportFormat } from "./export-file.ts";
import type { PublishedMembership, Segment } from "./segment.ts";

interface ExportFile {
  path: string;
  sizeBytes: number;
  expiresAtMs: number;
}

export interface ExportJob {
  readonly id: number;
  readonly tenantSlug: string;
  readonly segment: Segment;
  readonly format: ExportFormat;
  /** Names the file to whoever holds it, without further proof. */
  readonly token: string;
  state: "pending" | "done" | "failed";
  file: ExportFile | undefined;
}

// Exporting a draft gives a file without rows; its time is never seen.
const NOTHING_PUBLISHED: PublishedMembership = {
  computedAt: "1970-01-01T00:00:00Z",
  computedAtMicros: 0,
  members: [],
};

/** The exports and their files, which live in a folder of their own until `close`. */
export class ExportJobs {
  completed = 0;
  readonly #directory: string;
  readonly #jobs: ExportJob[] = [];
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();

  static async open(): Promise<ExportJobs> {
    return new ExportJobs(await mkdtemp(join(tmpdir(), "segops-exports-")));
  }

  private constructor(directory: string) {
    this.#directory = directory;
  }

  get started(): number {
    return this.#jobs.length;
  }

  /** Starts an export of what is published now. One that never completes stays pending for ever. */
  start(tenantSlug: string, segment: Segment, format: ExportFormat, neverCompletes: boolean): ExportJob {
    const job: ExportJob = {
      id: this.#jobs.length + 1,
      tenantSlug,
      segment,
      format,
      token: randomUUID(),
      state: "pending",
      file: undefined,
    };
    this.#jobs.push(job);
    if (!neverCompletes) this.#track(this.#run(job, segment.published ?? NOTHING_PUBLISHED));
    return job;
  }

  find(tenantSlug: string, id: number): ExportJob | undefined {
    return this.#jobs.find((job) => job.tenantSlug === tenantSlug && job.id === id);
  }

  byToken(token: string): ExportJob | undefined {
    return this.#jobs.find((job) => job.token === token);
  }

  /** Stops what is running and removes all files. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running);
    await rm(this.#directory, { recursive: true, force: true });
  }

  #track(running: Promise<void>): void {
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  async #run(job: ExportJob, membership: PublishedMembership): Promise<void> {
    const { options } = job.segment;
    const { signal } = this.#closing;
    const path = join(this.#directory, `${job.id}.${job.format}`);
    try {
      const earliestMs = Date.now() + options.exportDelayMs;
      await writeExportFile(path, job.format, membership, options, signal);
      await delay(earliestMs - Date.now(), undefined, { signal });
      const { size } = await stat(path);
      job.file = { path, sizeBytes: size, expiresAtMs: Date.now() + options.exportTtlSeconds * 1000 };
      job.state = "done";
      this.completed += 1;
    } catch (error) {
      job.state = "failed";
      if (!signal.aborted) console.error(`export ${job.id} failed:`, error);
    }
  }
}

/** The job's file while it may be downloaded. */
export function availableFile(job: ExportJob | undefined): ExportFile | undefined {
  return job?.file && Date.now() < job.file.expiresAtMs ? job.file : undefined;
}
