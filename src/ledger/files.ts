import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { CodedError } from "../contracts/errors.ts";
import type { FileRef } from "../contracts/log.ts";
import type { Storage } from "../storage/storage.ts";
import { storageError } from "../storage/storage-error.ts";
import type { Scratch } from "./scratch.ts";

/** The ledger's immutable files: what is published is referenced by its checksum, and read only if it still has it. */
export interface LedgerFiles {
  /**
   * Uploads a finished file under a key that no other attempt uses. Where `same` has the very same bytes, that reference is
   * answered and nothing uploaded.
   */
  publish(localPath: string, key: string, rows: number, same?: FileRef | null): Promise<FileRef>;
  /**
   * Lends the files of the references as paths on this machine, in their order, each proven to be the one that was published.
   * Throws `ledger_missing` with the key where one is missing, truncated or different: missing is never empty.
   */
  use<T>(refs: readonly FileRef[], work: (paths: string[]) => Promise<T>): Promise<T>;
  /** Whether there is any file of that name, whole or not. */
  isThere(ref: FileRef): Promise<boolean>;
}

export function createLedgerFiles(storage: Storage, scratch: Scratch): LedgerFiles {
  const proven = new Map<string, string>();
  return {
    async publish(localPath, key, rows, same) {
      const { bytes, sha256 } = await checksum(localPath);
      if (same?.sha256 === sha256 && same.bytes === bytes && same.rows === rows) return same;
      await storage.upload(key, localPath);
      return { key, rows, bytes, sha256 };
    },
    use: (refs, work) =>
      scratch.withFolder(async (folder) => {
        const paths = [];
        for (const ref of refs) paths.push(await provenCopy(storage, ref, folder, proven));
        return work(paths);
      }),
    async isThere({ key }) {
      for await (const found of storage.list(key)) if (found === key) return true;
      return false;
    },
  };
}

async function provenCopy(
  storage: Storage,
  ref: FileRef,
  folder: string,
  proven: Map<string, string>,
): Promise<string> {
  const copy = await storage.localCopy(ref.key, folder);
  if (copy?.bytes !== ref.bytes) throw new CodedError("ledger_missing", ref.key);
  // A base of gigabytes is not read again for its checksum while the file on disk is still the very same one.
  const identity = `${ref.sha256} ${await fileIdentity(copy.path)}`;
  if (proven.get(copy.path) === identity) return copy.path;
  const { sha256 } = await checksum(copy.path);
  if (sha256 !== ref.sha256) throw new CodedError("ledger_missing", ref.key);
  if (proven.size >= maxProven) proven.clear();
  proven.set(copy.path, identity);
  return copy.path;
}

/** Remembered files at most; a copy in a folder of its own is never met again, so forgetting all now and then costs little. */
const maxProven = 10_000;

/** The change time, unlike the modification time, cannot be set back by whoever changes the file. */
async function fileIdentity(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

async function checksum(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      const block = chunk as Buffer;
      hash.update(block);
      bytes += block.byteLength;
    }
  } catch (error) {
    throw storageError(error);
  }
  return { bytes, sha256: hash.digest("hex") };
}
