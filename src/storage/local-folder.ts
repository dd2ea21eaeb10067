import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, copyFile, link, mkdir, open, readFile, readdir, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CodedError } from "../contracts/errors.ts";
import type { Storage, StoredEntry } from "./storage.ts";
import { errnoOf, storageError } from "./storage-error.ts";
import { safeKey, safePrefix } from "./storage-key.ts";

/** Where entries are written before they get their name. What a crash leaves here is never read. */
const incomingFolder = ".incoming";
/** No write takes so long. */
const staleMs = 86_400_000;

/**
 * Storage in a folder of this machine. An entry is written under a temporary name, flushed, and given its name by `link()`,
 * which fails if the name is taken: readers see whole entries only, and of two writers one loses.
 */
export async function openLocalFolder(root: string): Promise<Storage> {
  await guarded(() => mkdir(join(root, incomingFolder), { recursive: true }));
  await removeStale(join(root, incomingFolder));
  return {
    putIfAbsent: (key, body) => guarded(() => create(root, key, (temporary) => writeNew(temporary, body))),
    get: (key) => guarded(() => read(root, safeKey(key))),
    upload: (key, localPath) =>
      guarded(async () => {
        await create(root, key, (temporary) => copyFile(localPath, temporary, constants.COPYFILE_EXCL));
      }),
    localCopy: (key) => guarded(() => locate(root, safeKey(key))),
    list: (prefix) => list(root, prefix),
    entries: (prefix) => entries(root, prefix),
    folders: (folder) => guarded(() => foldersIn(root, safePrefix(folder))),
    delete: (key) => guarded(() => remove(root, safeKey(key))),
  };
}

/** A crash is followed by a start, so this is where its half-written entries go. Whoever may only read leaves them alone. */
async function removeStale(incoming: string): Promise<void> {
  for (const name of await readdir(incoming).catch(() => [])) {
    const path = join(incoming, name);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > staleMs) await rm(path, { force: true }).catch(() => undefined);
  }
}

/** With the folder that it leaves empty, such as that of a run's parts; one that is not empty stays. */
async function remove(root: string, key: string): Promise<void> {
  await rm(join(root, key), { force: true });
  if (!key.includes("/")) return;
  await rmdir(dirname(join(root, key))).catch((error: unknown) => {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(errnoOf(error) ?? "")) throw error;
  });
}

async function create(
  root: string,
  key: string,
  write: (temporary: string) => Promise<void>,
): Promise<"created" | "exists"> {
  const path = join(root, safeKey(key));
  const temporary = join(root, incomingFolder, randomUUID());
  await makeFolder(root, dirname(path));
  try {
    await write(temporary);
    await flush(temporary);
    return await linkIfFree(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function linkIfFree(temporary: string, path: string): Promise<"created" | "exists"> {
  const answer = await link(temporary, path).then(
    () => "created" as const,
    (error: unknown) => {
      if (errnoOf(error) === "EEXIST") return "exists" as const;
      throw error;
    },
  );
  // Also when it exists: its writer may have died before it flushed the folder, and we are about to rely on the entry.
  await flush(dirname(path));
  return answer;
}

async function writeNew(path: string, body: Uint8Array | string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(body);
  } finally {
    await file.close();
  }
}

async function flush(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new folder lasts once the folder that names it is flushed. The root itself is never made here: see `assertMounted`. */
async function makeFolder(root: string, folder: string): Promise<void> {
  await assertMounted(root);
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await flush(dirname(made));
}

async function read(root: string, key: string): Promise<Uint8Array | undefined> {
  return readFile(join(root, key)).catch((error: unknown) => missing(root, error));
}

async function locate(root: string, key: string): Promise<{ path: string; bytes: number } | undefined> {
  const path = join(root, key);
  const found = await stat(path).catch((error: unknown) => missing(root, error));
  return found && { path, bytes: found.size };
}

function list(root: string, prefix: string): AsyncIterable<string> {
  return walk(root, prefix.slice(0, prefix.lastIndexOf("/") + 1), safePrefix(prefix));
}

/** A name that `link()` gave keeps the time at which its bytes were written. */
async function* entries(root: string, prefix: string): AsyncIterable<StoredEntry> {
  for await (const key of list(root, prefix)) {
    const found = await guarded(() => stat(join(root, key)).catch((error: unknown) => missing(root, error)));
    if (found) yield { key, bytes: found.size, writtenAtMs: found.mtimeMs };
  }
}

/** Folder by folder; a folder's name sorts with its slash, which makes the whole order that of the keys' bytes. */
async function* walk(root: string, folder: string, prefix: string): AsyncIterable<string> {
  const entries = await guarded(() =>
    readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => missing(root, error)),
  );
  const names = (entries ?? [])
    .filter((entry) => !entry.name.startsWith("."))
    .map((entry) => folder + entry.name + (entry.isDirectory() ? "/" : ""))
    .sort((a, b) => (a < b ? -1 : 1));
  for (const name of names) {
    if (!name.startsWith(prefix) && !prefix.startsWith(name)) continue;
    if (name.endsWith("/")) yield* walk(root, name, prefix);
    else if (name.startsWith(prefix)) yield name;
  }
}

async function foldersIn(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) =>
    missing(root, error),
  );
  return (entries ?? [])
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort((a, b) => (a < b ? -1 : 1));
}

async function missing(root: string, error: unknown): Promise<undefined> {
  if (errnoOf(error) !== "ENOENT") throw error;
  await assertMounted(root);
}

/** A root that has vanished, such as an unmounted volume, is a failure: taken for an empty one it would lose every ledger. */
async function assertMounted(root: string): Promise<void> {
  await access(join(root, incomingFolder)).catch(() => {
    throw new CodedError("storage_unavailable", "its folder has vanished");
  });
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error);
  }
}
