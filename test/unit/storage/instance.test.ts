import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createStorageId, readStorageId } from "../../../src/storage/instance.ts";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { Storage } from "../../../src/storage/storage.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "storage-instance-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const opened = (name: string): Promise<Storage> => openStorage(`file:${join(dir, name)}`);

test("a storage gets its id once, whoever asks and however many at once, and another folder has another", async () => {
  const [storage, other] = [await opened("one"), await opened("two")];
  expect(await readStorageId(storage)).toBeUndefined();
  const ids = await Promise.all(Array.from({ length: 8 }, () => createStorageId(storage)));
  expect(new Set(ids).size).toBe(1);
  expect(await readStorageId(await opened("one"))).toBe(ids[0]);
  expect(await createStorageId(other)).not.toBe(ids[0]);
});

test.each([
  ["is cut off", '{"version":1,"id":"'],
  ["is empty", ""],
  ["holds no id", '{"version":1}'],
])("an instance.json that %s is an error and not a new storage", async (name, text) => {
  const folder = name.replaceAll(" ", "-");
  const storage = await opened(folder);
  await writeFile(join(dir, folder, "instance.json"), text);
  await expect(readStorageId(storage)).rejects.toMatchObject({ code: "log_unreadable" });
  await expect(createStorageId(storage)).rejects.toMatchObject({ code: "log_unreadable" });
});
