import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLocalFolder } from "../../../src/storage/local-folder.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { faultyStorage } from "../../chaos/faulty-storage.ts";
import type { StorageFault } from "../../chaos/fault-kinds.ts";
import { StorageFaults } from "../../chaos/storage-faults.ts";

const unavailable = { code: "storage_unavailable" };

let dir: string;
let inner: Storage;
let faults: StorageFaults;
let storage: Storage;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "segops-braze-faulty-"));
  inner = await openLocalFolder(join(dir, "storage"));
  faults = faultsHere();
  await faults.clear();
  storage = faultyStorage(inner, (key, kinds) => faults.take(key, kinds));
  await writeFile(join(dir, "file"), "0123456789");
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** As another process of the same arena would open them. */
function faultsHere(): StorageFaults {
  return new StorageFaults(`file:${join(dir, "storage")}`);
}

function order(kind: StorageFault, times = 1, forMs = 60_000): void {
  faults.add({ kind, prefix: "a/", times, untilMs: Date.now() + forMs });
}

test("without a fault the storage is the one inside", async () => {
  expect(await storage.putIfAbsent("a/1", "one")).toBe("created");
  expect(String(await storage.get("a/1"))).toBe("one");
  expect(await faults.clear()).toEqual([]);
});

test("a failed put writes nothing, and the next one does", async () => {
  order("put_failed");
  await expect(storage.putIfAbsent("a/1", "one")).rejects.toMatchObject(unavailable);
  expect(await inner.get("a/1")).toBeUndefined();
  expect(await storage.putIfAbsent("a/1", "one")).toBe("created");
  expect(await faults.clear()).toEqual([["put_failed", 1]]);
});

test("a lost answer is one to a put that was done", async () => {
  order("answer_lost");
  await expect(storage.putIfAbsent("a/1", "one")).rejects.toMatchObject(unavailable);
  expect(String(await inner.get("a/1"))).toBe("one");
});

test("a file cut short keeps half its bytes under its name, and the upload fails", async () => {
  order("file_truncated");
  await expect(storage.upload("a/file", join(dir, "file"))).rejects.toMatchObject(unavailable);
  expect(await readFile(join(dir, "storage/a/file"), "utf8")).toBe("01234");
});

test("a failed read is an error, never an absence", async () => {
  await inner.putIfAbsent("a/1", "one");
  order("read_failed", 3);
  await expect(storage.get("a/1")).rejects.toMatchObject(unavailable);
  await expect(storage.localCopy("a/1", dir)).rejects.toMatchObject(unavailable);
  const listing = async () => {
    for await (const key of storage.list("a/")) return key;
    return undefined;
  };
  await expect(listing()).rejects.toMatchObject(unavailable);
  expect(await listing()).toBe("a/1");
});

test("a full disk refuses puts and still reads", async () => {
  await inner.putIfAbsent("a/1", "one");
  order("disk_full", 10);
  await expect(storage.putIfAbsent("a/2", "two")).rejects.toMatchObject({ detail: "ENOSPC" });
  expect(String(await storage.get("a/1"))).toBe("one");
});

test("a slow disk answers what it should, late", async () => {
  order("slow_disk");
  const began = Date.now();
  expect(await storage.putIfAbsent("a/1", "one")).toBe("created");
  expect(Date.now() - began).toBeGreaterThan(800);
});

test("a fault keeps to its keys and to its time", async () => {
  order("put_failed");
  expect(await storage.putIfAbsent("b/1", "one")).toBe("created");
  await faults.clear();
  order("put_failed", 1, -1);
  expect(await storage.putIfAbsent("a/1", "one")).toBe("created");
  expect(await faults.clear()).toEqual([["put_failed", 0]]);
});

test("two workers together strike no more often than was ordered, and every strike is counted", async () => {
  order("put_failed", 3);
  const other = faultsHere();
  const takes = Array.from({ length: 10 }, (_, index) =>
    (index % 2 === 0 ? faults : other).take("a/1", ["put_failed"]),
  );
  expect((await Promise.all(takes)).filter(Boolean)).toHaveLength(3);
  expect(await faults.clear()).toEqual([["put_failed", 3]]);
});
