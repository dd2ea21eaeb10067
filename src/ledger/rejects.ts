import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { CodedError } from "../contracts/errors.ts";
import type { FileRef } from "../contracts/log.ts";
import type { Rejects } from "../contracts/run.ts";
import { newRejectsKey } from "./file-keys.ts";
import type { LedgerDeps } from "./ledger-deps.ts";

/** Reason code → offsets of the rejected users in their part. */
export type RejectsByCode = Record<string, number[]>;

const rejectsSchema = z.record(z.string(), z.array(z.int().nonnegative()));

/** Keeps a part's rejects as a file, once they are too many to travel inline. The same rejects make the same bytes. */
export async function publishRejects(
  { files, scratch }: LedgerDeps,
  folder: string,
  number: number,
  inline: RejectsByCode,
): Promise<FileRef> {
  const sorted = Object.entries(inline)
    .map(([code, offsets]) => [code, offsets.toSorted((a, b) => a - b)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const rows = sorted.reduce((sum, [, offsets]) => sum + offsets.length, 0);
  return scratch.withFolder(async (work) => {
    const path = `${work}/rejects.json`;
    await writeFile(path, `${JSON.stringify(Object.fromEntries(sorted))}\n`);
    return files.publish(path, newRejectsKey(folder, number), rows);
  });
}

/** All rejects of a part, those in its file and those inline. Throws `ledger_missing` where the file is not whole. */
export async function readRejects({ files }: LedgerDeps, rejects: Rejects): Promise<RejectsByCode> {
  const { file, inline } = rejects;
  if (file === null) return inline;
  const stored = await files.use([file], async ([path = ""]) =>
    parseRejects(await readFile(path, "utf8"), file),
  );
  const merged = Object.entries(inline).map(([code, offsets]) => [
    code,
    [...(stored[code] ?? []), ...offsets],
  ]);
  return { ...stored, ...(Object.fromEntries(merged) as RejectsByCode) };
}

function parseRejects(text: string, file: FileRef): RejectsByCode {
  const parsed = rejectsSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new CodedError("ledger_missing", file.key);
  return parsed.data;
}
