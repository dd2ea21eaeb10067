import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { CodedError } from "../../../src/contracts/errors.ts";
import { openStorage } from "../../../src/storage/open-storage.ts";
import { storageError } from "../../../src/storage/storage-error.ts";
import { storageSuite } from "./storage-suite.ts";

storageSuite("a local folder", async () => {
  const root = await mkdtemp(join(tmpdir(), "local-folder-"));
  const url = `file:${root}`;
  return { storage: await openStorage(url), url, close: () => rm(root, { recursive: true }) };
});

async function folder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "local-folder-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return root;
}

describe("the local folder", () => {
  test("what a crash left half written is neither read nor listed, and hinders no later put", async () => {
    const root = await folder();
    const storage = await openStorage(`file:${root}`);
    await writeFile(join(root, ".incoming", "half"), "{");
    const keys = [];
    for await (const key of storage.list("")) keys.push(key);
    expect(keys).toEqual([]);
    expect(await storage.putIfAbsent("log/1", "{}")).toBe("created");
  });

  test("no temporary file is left behind, whether the key was free or taken", async () => {
    const root = await folder();
    const storage = await openStorage(`file:${root}`);
    await storage.putIfAbsent("k", "1");
    await storage.putIfAbsent("k", "2");
    expect(await readdir(join(root, ".incoming"))).toEqual([]);
  });

  test("what a crash left half written goes a day later, when the folder is opened again", async () => {
    const root = await folder();
    await openStorage(`file:${root}`);
    const dayAgo = Date.now() / 1000 - 86_400;
    for (const [name, time] of [
      ["old", dayAgo - 60],
      ["new", dayAgo + 60],
    ] as const) {
      await writeFile(join(root, ".incoming", name), "{");
      await utimes(join(root, ".incoming", name), time, time);
    }
    await openStorage(`file:${root}`);
    expect(await readdir(join(root, ".incoming"))).toEqual(["new"]);
  });

  test("a folder goes with the last entry in it, and comes back with the next", async () => {
    const root = await folder();
    const storage = await openStorage(`file:${root}`);
    await storage.putIfAbsent("parts/1/a", "1");
    await storage.putIfAbsent("parts/1/b", "1");
    await storage.delete("parts/1/a");
    expect(await readdir(join(root, "parts"))).toEqual(["1"]);
    await storage.delete("parts/1/b");
    expect(await readdir(join(root, "parts"))).toEqual([]);
    expect(await storage.putIfAbsent("parts/1/a", "2")).toBe("created");
  });

  test("the local copy is the folder's own file, not a copy", async () => {
    const root = await folder();
    const storage = await openStorage(`file:${root}`);
    await storage.putIfAbsent("x/k", "abc");
    expect(await storage.localCopy("x/k", "/nowhere")).toEqual({ path: join(root, "x/k"), bytes: 3 });
    expect(await readFile(join(root, "x/k"), "utf8")).toBe("abc");
  });

  test("a root that vanished, such as an unmounted volume, is a failure and not an empty storage", async () => {
    const root = await folder();
    const storage = await openStorage(`file:${root}`);
    await storage.putIfAbsent("log/1", "{}");
    await rename(root, `${root}-away`);
    onTestFinished(() => rm(`${root}-away`, { recursive: true, force: true }));
    const unavailable = { code: "storage_unavailable" };
    await expect(storage.get("log/1")).rejects.toMatchObject(unavailable);
    await expect(storage.localCopy("log/1", root)).rejects.toMatchObject(unavailable);
    await expect(storage.putIfAbsent("log/2", "{}")).rejects.toMatchObject(unavailable);
    await expect(storage.list("log/")[Symbol.asyncIterator]().next()).rejects.toMatchObject(unavailable);
  });

  test("a folder that may not be written is storage_unavailable, without a path of the machine", async () => {
    const root = await folder();
    const storage = await openStorage(`file:${root}`);
    await mkdir(join(root, "log"));
    await chmod(root, 0o755);
    await chmod(join(root, "log"), 0o500);
    const error = await unprivileged(() => storage.putIfAbsent("log/1", "{}"));
    expect(error).toMatchObject({ code: "storage_unavailable", detail: "EACCES" });
    expect(everythingSaidBy(error)).not.toContain(root);
  });

  test("a full disk is storage_unavailable, without a path of the machine", () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write '/srv/secret/place'"), {
      code: "ENOSPC",
    });
    const error = storageError(full);
    expect(error).toMatchObject({ code: "storage_unavailable", detail: "ENOSPC" });
    expect(everythingSaidBy(error)).not.toContain("/srv");
  });

  test("an address that no driver serves is refused by the variable's name", async () => {
    await expect(openStorage("s3://bucket")).rejects.toThrow(/STORAGE_URL/);
    await expect(openStorage("file:")).rejects.toThrow(/STORAGE_URL/);
  });
});

/** Root ignores permissions, so it steps down to nobody for the while. */
async function unprivileged(work: () => Promise<unknown>): Promise<unknown> {
  const root = process.getuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    return await work().catch((error: unknown) => error);
  } finally {
    if (root) process.seteuid?.(0);
  }
}

function everythingSaidBy(error: unknown): string {
  if (!(error instanceof CodedError)) throw new Error("not a coded error");
  return `${error.message} ${error.stack} ${String(error.cause)}`;
}
