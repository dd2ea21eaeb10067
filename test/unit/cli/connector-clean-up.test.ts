import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStorage } from "../../../src/storage/open-storage.ts";
import { writeAgedLog } from "../ledger/aged-log.ts";
import { runCli } from "./run-cli.ts";

interface CleanUpAnswer {
  deleted: boolean;
  files: number;
  bytes: number;
  leftovers: { key: string; bytes: number; written_at: string; why: string }[];
}

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "clean-up-cli-"));
  const run = {
    gapDays: 12,
    isPlanned: true,
    isMoved: true,
    parts: 1,
    isHeld: false,
    isVerified: false,
    orphans: 0,
  };
  const runs = Array.from({ length: 14 }, () => ({ ...run, isApproved: false, isUnderNewestConfig: true }));
  await writeAgedLog(root, { runs, isLastOpen: false });
});
afterAll(() => rm(root, { recursive: true }));

function cleanUp(...args: string[]) {
  const env = { STORAGE_URL: `file:${root}`, TEMPORAL_ADDRESS: "127.0.0.1:1" };
  return runCli(["connector", "clean-up", ...args], { env });
}

async function keys(): Promise<string[]> {
  const found = [];
  for await (const key of (await openStorage(`file:${root}`)).list("")) found.push(key);
  return found;
}

test("a dry run lists each file, its bytes, when it was written and why it may go; then it goes, and then nothing is left to go", async () => {
  const before = await keys();
  const dry = await cleanUp("acme/7", "--dry-run", "--json");
  const listed = JSON.parse(dry.stdout) as CleanUpAnswer;
  // Three runs are past the newest eleven: a snapshot, a part and exceptions each.
  expect(listed).toMatchObject({ deleted: false, files: 9 });
  expect(listed.leftovers[0]).toEqual({
    key: expect.stringMatching(/^connectors\/acme\/7\/exceptions\/000000000001-\w+\.parquet$/),
    bytes: expect.any(Number),
    written_at: expect.stringMatching(/^20.*Z$/),
    why: "no kept entry names it; 14 runs were closed since",
  });
  expect(await keys()).toEqual(before);

  const { code, stdout } = await cleanUp("acme/7");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^FILE +BYTES +WRITTEN +WHY\n/);
  expect(stdout).toContain(`Deleted 9 files, ${listed.bytes} bytes.`);
  const gone = listed.leftovers.map(({ key }) => key);
  expect(await keys()).toEqual(before.filter((key) => !gone.includes(key)));
  expect((await cleanUp("acme/7", "--dry-run")).stdout).toBe("Would delete 0 files, 0 bytes.\n");
});

test("another connector is not found", async () => {
  const { code, stderr } = await cleanUp("acme/8");
  expect(code).toBe(1);
  expect(stderr).toContain("[connector_not_found]");
});
