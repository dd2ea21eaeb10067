import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Storage } from "../../../src/storage/storage.ts";

export interface StorageUnderTest {
  storage: Storage;
  /** What another process opens to reach the same entries. */
  url: string;
  close(): Promise<void>;
}

/** What every driver promises, whatever it keeps its entries in. */
export function storageSuite(name: string, make: () => Promise<StorageUnderTest>): void {
  describe(`storage in ${name}`, () => {
    let made: StorageUnderTest;
    let storage: Storage;
    let scratch: string;

    beforeAll(async () => {
      made = await make();
      storage = made.storage;
      scratch = await mkdtemp(join(tmpdir(), "storage-suite-"));
    });
    afterAll(async () => {
      await made.close();
      await rm(scratch, { recursive: true });
    });

    test("the first put of a key creates it and a later one leaves it as it was", async () => {
      expect(await storage.putIfAbsent("a/once.json", "first")).toBe("created");
      expect(await storage.putIfAbsent("a/once.json", "second, and longer")).toBe("exists");
      expect(text(await storage.get("a/once.json"))).toBe("first");
    });

    test("bytes come back exactly, also none at all", async () => {
      const every = Uint8Array.from({ length: 256 }, (_, index) => index);
      await storage.putIfAbsent("a/every-byte", every);
      await storage.putIfAbsent("a/nothing", "");
      expect(Buffer.from((await storage.get("a/every-byte"))!)).toEqual(Buffer.from(every));
      expect((await storage.get("a/nothing"))!.byteLength).toBe(0);
    });

    test("a key that was never put is undefined and not empty", async () => {
      expect(await storage.get("a/never")).toBeUndefined();
      expect(await storage.get("never/at/all")).toBeUndefined();
      expect(await storage.localCopy("a/never", scratch)).toBeUndefined();
    });

    test("an uploaded file comes back whole and a second upload leaves it alone", async () => {
      const [one, two] = [join(scratch, "one"), join(scratch, "two")];
      await writeFile(one, "x".repeat(300_000));
      await writeFile(two, "other");
      await storage.upload("files/one.bin", one);
      await storage.upload("files/one.bin", two);
      const copy = await storage.localCopy("files/one.bin", scratch);
      expect(copy?.bytes).toBe(300_000);
      expect(await readFile(copy!.path, "utf8")).toBe("x".repeat(300_000));
    });

    test("keys are listed by prefix in byte order, across folders", async () => {
      const keys = ["l/a-b", "l/a.c", "l/a/1", "l/a/2/3", "l/a0", "l/b"];
      for (const key of keys.toReversed()) await storage.putIfAbsent(key, "");
      expect(await listed(storage, "l/")).toEqual(keys);
      expect(await listed(storage, "l/a")).toEqual(keys.slice(0, 5));
      expect(await listed(storage, "l/a/2")).toEqual(["l/a/2/3"]);
      expect(await listed(storage, "none/")).toEqual([]);
    });

    test("every entry tells its size and when it was written, in the order of the keys", async () => {
      const before = Date.now();
      await storage.putIfAbsent("e/put", "12345");
      const file = join(scratch, "three");
      await writeFile(file, "123");
      await utimes(file, 1, 1);
      await storage.upload("e/uploaded", file);
      const found = [];
      for await (const entry of storage.entries("e/")) found.push(entry);
      expect(found.map(({ key, bytes }) => [key, bytes])).toEqual([
        ["e/put", 5],
        ["e/uploaded", 3],
      ]);
      // Two seconds of room: a storage elsewhere has a clock of its own, and may tell whole seconds.
      for (const { writtenAtMs } of found) {
        expect(writtenAtMs).toBeGreaterThan(before - 2000);
        expect(writtenAtMs).toBeLessThan(Date.now() + 2000);
      }
    });

    test("a deleted key is missing, and its name free again", async () => {
      await storage.putIfAbsent("d/gone", "1");
      await storage.delete("d/gone");
      await storage.delete("d/gone");
      expect(await storage.get("d/gone")).toBeUndefined();
      expect(await storage.putIfAbsent("d/gone", "2")).toBe("created");
    });

    test.each([
      "",
      "/etc/passwd",
      "../up",
      "a/../b",
      "a//b",
      "a/",
      ".hidden",
      "a/.b",
      "a\\b",
      "a\0b",
      "a\nb",
    ])("the key %j is refused", async (key) => {
      await expect(storage.putIfAbsent(key, "x")).rejects.toMatchObject({ code: "unexpected" });
      await expect(storage.get(key)).rejects.toMatchObject({ code: "unexpected" });
    });

    test("of two processes that race for the same keys exactly one creates each, and readers see it whole", async () => {
      const racers = [startRacer(made.url, "left"), startRacer(made.url, "right")];
      for (const racer of racers) await racer.ready;
      for (const racer of racers) racer.go();
      const [left, right] = await Promise.all(racers.map((racer) => racer.created));
      const keys = Array.from({ length: raceKeys }, (_, index) => `race/${index}`);
      for (const key of keys) {
        expect([key, Number(left!.has(key)) + Number(right!.has(key))]).toEqual([key, 1]);
        expect(text(await storage.get(key))).toBe((left!.has(key) ? "left" : "right").repeat(5000));
      }
      expect(left!.size * right!.size).toBeGreaterThan(0);
    });
  });
}

const raceKeys = 300;

/** A process of its own that puts every key of the race once it is told to go. */
function startRacer(url: string, body: string) {
  const program = fileURLToPath(new URL("./storage-racer.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", program, url, body, String(raceKeys)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  return {
    ready: once(child.stdout, "data"),
    go: () => child.stdin.end("go"),
    created: once(child, "close").then(
      () => new Set(output.split("\n").filter((line) => line.includes("/"))),
    ),
  };
}

async function listed(storage: Storage, prefix: string): Promise<string[]> {
  const keys = [];
  for await (const key of storage.list(prefix)) keys.push(key);
  return keys;
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString();
}
