import { randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { ConnectorKey } from "../contracts/connector-id.ts";
import { CodedError } from "../contracts/errors.ts";
import type { Clock } from "./clock.ts";
import { downloadFile } from "./download.ts";
import type { Http } from "./http.ts";

/** A segment's export on disk: columns `user_id` (string) and `computed_at`. */
export interface ExportedFile {
  path: string;
  format: "parquet";
}

interface ExportPace {
  pollEveryMs: number;
  /** How long an export may stay unfinished. */
  patienceMs: number;
  clock: Clock;
}

const startedSchema = z
  .object({ export_id: z.unknown().optional(), id: z.unknown().optional() })
  .transform(({ export_id, id }) => export_id ?? id)
  .pipe(z.union([z.int().transform(String), z.string().regex(/^[\w-]+$/)]));

const statusSchema = z.object({ status: z.string(), download_url: z.string().nullish() });

/** The admin skill of SegOps says `ready` where the documentation says `complete`. */
const finished = new Set(["complete", "completed", "ready"]);
/** Not documented; without these words a failed export would be waited for in vain. */
const failed = new Set(["failed", "failure", "error", "expired", "cancelled", "canceled"]);

/**
 * Exports a segment as Parquet into a new file in `directory`: start, wait, download, check that it is whole. On any failure
 * the file is gone. Errors beside those of every call: `segment_not_found`; `snapshot_unverified` for an export that failed or is damaged.
 */
export async function exportSegment(
  http: Http,
  key: ConnectorKey,
  directory: string,
  signal: AbortSignal,
  pace: ExportPace,
): Promise<ExportedFile> {
  const url = await requestExport(http, key, signal, pace);
  const path = join(directory, `export-${randomUUID()}.parquet`);
  try {
    await downloadFile(http, { url, tenant: key.tenant_slug, path, signal });
    await refuseDamagedParquet(path);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { path, format: "parquet" };
}

/** Starts an export and waits until SegOps names its address. A start that is retried leaves a second export behind, unused. */
async function requestExport(
  http: Http,
  key: ConnectorKey,
  signal: AbortSignal,
  { pollEveryMs, patienceMs, clock }: ExportPace,
): Promise<URL> {
  const path = `/segments/${key.segment_id}/export/`;
  const call = { path, tenant: key.tenant_slug, signal };
  const started = startedSchema.safeParse(
    await http.json({ ...call, method: "POST", body: { format: "parquet" }, notFound: "segment_not_found" }),
  );
  if (!started.success) throw unverified("was started without an id");
  const deadlineMs = clock.nowMs() + patienceMs;
  for (;;) {
    const query = { export_id: started.data };
    const body = await http.json({ ...call, method: "GET", query, notFound: "snapshot_unverified" });
    const url = readStatus(body, started.data, http.baseUrl);
    if (url) return url;
    if (clock.nowMs() + pollEveryMs > deadlineMs) {
      throw new CodedError("segops_unavailable", `the export is not complete after ${patienceMs / 1000} s`);
    }
    await clock.sleep(pollEveryMs, signal);
  }
}

/** Answers the download's address, or undefined while the export is under way. */
function readStatus(body: unknown, exportId: string, baseUrl: string): URL | undefined {
  const parsed = statusSchema.safeParse(body);
  if (!parsed.success) throw unverified("has no status");
  const status = parsed.data.status.toLowerCase();
  if (failed.has(status)) throw unverified("failed in SegOps");
  if (!finished.has(status)) return undefined;
  const address = parsed.data.download_url || `${baseUrl}/segments/exports/${exportId}/download/`;
  if (!URL.canParse(address, baseUrl)) throw unverified("has no address");
  return new URL(address, baseUrl);
}

/** A Parquet file begins and ends with `PAR1`, and its footer is written last: a torn one lacks the end. */
async function refuseDamagedParquet(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const mark = async (position: number) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, position);
      return buffer.toString("latin1", 0, bytesRead);
    };
    const isWhole = size >= 12 && (await mark(0)) === "PAR1" && (await mark(size - 4)) === "PAR1";
    if (!isWhole) throw unverified(`of ${size} bytes is not a whole Parquet file`);
  } finally {
    await file.close();
  }
}

function unverified(detail: string): CodedError {
  return new CodedError("snapshot_unverified", `the export ${detail}`);
}
