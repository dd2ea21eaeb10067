import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { DuckDBDataChunk, DuckDBInstance, VARCHAR } from "@duckdb/node-api";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { PublishedMembership } from "./segment.ts";
import type { SegmentOptions } from "./segment-options.ts";

export type ExportFormat = "parquet" | "csv";

// DuckDB's vector size: the most rows that one data chunk holds.
const CHUNK_ROWS = 2048;
// Rows between two looks at the event loop, so that a large export does not hold up other requests.
const ROWS_PER_TURN = 32 * CHUNK_ROWS;

/**
 * Writes the membership to `path`: columns `user_id` and `computed_at`, ids byte for byte. The file appears under
 * its name only when whole. Throws if `signal` aborts it.
 */
export async function writeExportFile(
  path: string,
  format: ExportFormat,
  membership: PublishedMembership,
  options: SegmentOptions,
  signal: AbortSignal,
): Promise<void> {
  const unfinished = `${path}.unfinished`;
  if (format === "csv") {
    await pipeline(Readable.from(csvChunks(membership, options)), createWriteStream(unfinished), { signal });
  } else {
    await writeParquet(unfinished, membership, options, signal);
  }
  await rename(unfinished, path);
}

async function writeParquet(
  path: string,
  { members, computedAt }: PublishedMembership,
  { parquetComputedAt }: SegmentOptions,
  signal: AbortSignal,
): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: "2GB",
    threads: "2",
    temp_directory: `${path}.spill`,
  });
  const connection = await instance.connect();
  try {
    await appendMembers(connection, members, signal);
    // Neither needs escaping: the path is made here, and only ISO 8601 times become a computed_at.
    const type = parquetComputedAt === "timestamp" ? "TIMESTAMPTZ" : "VARCHAR";
    await connection.run(
      `COPY (SELECT user_id, '${computedAt}'::${type} AS computed_at FROM members)
       TO '${path}' (FORMAT parquet, COMPRESSION snappy)`,
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function appendMembers(
  connection: DuckDBConnection,
  members: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await connection.run("CREATE TABLE members (user_id VARCHAR)");
  const appender = await connection.createAppender("members");
  for (let start = 0; start < members.length; start += CHUNK_ROWS) {
    const ids = members.slice(start, start + CHUNK_ROWS);
    const chunk = DuckDBDataChunk.create([VARCHAR], ids.length);
    chunk.setColumnValues(0, ids);
    appender.appendDataChunk(chunk);
    if (start % ROWS_PER_TURN === 0) await nextTurn(undefined, { signal });
  }
  appender.closeSync();
}

function* csvChunks(
  { members, computedAt }: PublishedMembership,
  options: SegmentOptions,
): Generator<string> {
  const rowEnd = `,${computedAt}${options.csvLineEnd}`;
  if (options.csvHeader) yield `user_id,computed_at${options.csvLineEnd}`;
  for (let start = 0; start < members.length; start += CHUNK_ROWS) {
    const ids = members.slice(start, start + CHUNK_ROWS);
    yield ids.map((id) => csvField(id) + rowEnd).join("");
  }
}

/** Quoted only where it must be, as Python's csv module does, which a Django service would use. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
