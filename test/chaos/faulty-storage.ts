import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CodedError } from "../../src/contracts/errors.ts";
import type { Storage } from "../../src/storage/storage.ts";
import type { StorageFault } from "./fault-kinds.ts";

/** How long each call takes on a slow disk: half of it before the work, half until the answer. */
const slowMs = 900;

const ofPuts: readonly StorageFault[] = ["put_failed", "answer_lost", "disk_full", "slow_disk"];
const ofUploads: readonly StorageFault[] = ["file_truncated", ...ofPuts];
const ofReads: readonly StorageFault[] = ["read_failed", "slow_disk"];

/** What decides whether a fault strikes an operation on a key. */
export type TakeFault = (key: string, kinds: readonly StorageFault[]) => Promise<StorageFault | undefined>;

/** A storage that fails as a real one may, where `take` says so, and says `storage_unavailable` as a real one does. */
export function faultyStorage(inner: Storage, take: TakeFault): Storage {
  return {
    putIfAbsent: async (key, body) =>
      await struck(await take(key, ofPuts), () => inner.putIfAbsent(key, body)),
    upload: async (key, path) => {
      const fault = await take(key, ofUploads);
      if (fault === "file_truncated") await uploadHalf(inner, key, path);
      await struck(fault, () => inner.upload(key, path));
    },
    get: async (key) => await struck(await take(key, ofReads), () => inner.get(key)),
    localCopy: async (key, into) => await struck(await take(key, ofReads), () => inner.localCopy(key, into)),
    list: async function* (prefix) {
      await struck(await take(prefix, ofReads), async () => undefined);
      yield* inner.list(prefix);
    },
    entries: async function* (prefix) {
      await struck(await take(prefix, ofReads), async () => undefined);
      yield* inner.entries(prefix);
    },
    folders: (folder) => inner.folders(folder),
    delete: async (key) => await struck(await take(key, ["slow_disk"]), () => inner.delete(key)),
  };
}

async function struck<T>(fault: StorageFault | undefined, work: () => Promise<T>): Promise<T> {
  switch (fault) {
    case undefined:
      return await work();
    case "slow_disk": {
      await delay(slowMs / 2);
      const answer = await work();
      await delay(slowMs / 2);
      return answer;
    }
    case "answer_lost":
      await work();
      throw new CodedError("storage_unavailable", "ETIMEDOUT");
    case "disk_full":
      throw new CodedError("storage_unavailable", "ENOSPC");
    case "put_failed":
    case "read_failed":
    case "file_truncated":
      throw new CodedError("storage_unavailable", "EIO");
  }
}

/** What a machine leaves behind that lost its power before the file was on its disk: the name, and less than it should hold. */
async function uploadHalf(inner: Storage, key: string, path: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "segops-braze-half-"));
  try {
    const whole = await readFile(path);
    await writeFile(join(folder, "half"), whole.subarray(0, whole.byteLength / 2));
    await inner.upload(key, join(folder, "half"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
