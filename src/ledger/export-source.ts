import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { CodedError } from "../contracts/errors.ts";
import { SqlError } from "./duckdb.ts";
import type { Session } from "./duckdb.ts";
import { copyToParquet, sqlText } from "./sql.ts";

export type ExportFormat = "parquet" | "csv";

/**
 * Copies the `user_id` column of an exported file, byte for byte, into a Parquet file of ours. Throws `snapshot_unverified`
 * where the file cannot be read as what it claims to be: such an export proves nothing.
 */
export async function stageExport(
  session: Session,
  path: string,
  format: ExportFormat,
  target: string,
): Promise<void> {
  try {
    const source = format === "parquet" ? await parquetSource(session, path) : await csvSource(path);
    await session.run(copyToParquet(`SELECT user_id FROM ${source}`, target));
  } catch (error) {
    if (error instanceof SqlError && error.kind !== "Out of Memory" && error.kind !== "IO") {
      throw new CodedError("snapshot_unverified", `the ${format} export cannot be read: ${error.kind} Error`);
    }
    throw error;
  }
}

async function parquetSource(session: Session, path: string): Promise<string> {
  // Some writers leave the text mark off their columns.
  const source = `read_parquet(${sqlText(path)}, binary_as_string = true)`;
  const [, type] = await session.row(`DESCRIBE SELECT user_id FROM ${source}`);
  if (type !== "VARCHAR") throw new CodedError("snapshot_unverified", "the export's user_id is not text");
  return source;
}

/**
 * RFC 4180 with every default of DuckDB's sniffer taken away: it may guess another quote or drop a row. Read by one thread,
 * because several take a quoted line break where they meet for the end of a row. Empty ids stay empty and do not turn into NULL.
 */
async function csvSource(path: string): Promise<string> {
  const first = await firstRecord(path);
  if (first.length === 0) return "(SELECT NULL::VARCHAR AS user_id WHERE false)";
  const hasHeader = first.includes("user_id");
  const names = first.map((name, index) => (hasHeader ? name : index === 0 ? "user_id" : `column_${index}`));
  if (new Set(names).size !== names.length || names.includes("")) {
    throw new CodedError(
      "snapshot_unverified",
      "the csv export's header names a column twice, or not at all",
    );
  }
  await refuseOpenQuote(path);
  const columns = names.map((name) => `${sqlText(name)}: 'VARCHAR'`).join(", ");
  return `read_csv(${sqlText(path)}, auto_detect = false, header = ${hasHeader}, columns = {${columns}}, delim = ',', quote = '"',
    escape = '"', force_not_null = ['user_id'], strict_mode = true, parallel = false)`;
}

/** One thread drops a last record whose quote never ends, and says nothing. Whole files have an even number of quotes. */
async function refuseOpenQuote(path: string): Promise<void> {
  let isOpen = false;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const block = chunk as Buffer;
    for (let at = block.indexOf(quote); at >= 0; at = block.indexOf(quote, at + 1)) isOpen = !isOpen;
  }
  if (isOpen) throw new CodedError("snapshot_unverified", "a quote of the csv export never ends");
}

const quote = 0x22;

/** Longer than any header, and than any row whose id Braze would take. */
const firstRecordBytes = 64 * 1024;

/** The fields of the first record: a header, or the first row of a file without one. */
async function firstRecord(path: string): Promise<string[]> {
  const file = await open(path, "r");
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(firstRecordBytes), 0, firstRecordBytes, 0);
    return recordFields(
      buffer
        .subarray(0, bytesRead)
        .toString()
        .replace(/^\uFEFF/, ""),
    );
  } finally {
    await file.close();
  }
}

function recordFields(text: string): string[] {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (!match) break;
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] !== ",") break;
  }
  return fields;
}
