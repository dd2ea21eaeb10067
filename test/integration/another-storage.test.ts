import { cp, mkdir, readFile, readdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../sandbox/temporal/free-port.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import { startStage, type Stage } from "./harness.ts";
import { ids } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

const nothing = { missing: [], extra: [] };

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());

async function idOf(folder: string): Promise<string> {
  return (JSON.parse(await readFile(join(folder, "instance.json"), "utf8")) as { id: string }).id;
}

test("a worker whose storage is another folder is refused at start, by name and with both ids; a restored copy is not", async () => {
  const right = await stage.startWorker();
  const connector = stage.connector();
  await connector.start({ members: ids(10) });
  await connector.ran(1);
  await right.stop();
  const folder = connector.storageDir();
  const known = await idOf(folder);

  const empty = join(stage.dir, "an-empty-folder");
  const { code, output } = await stage.stack.run(["worker"], {
    STORAGE_URL: `file:${empty}`,
    METRICS_ADDRESS: `127.0.0.1:${await freePort()}`,
  });
  expect(code).toBe(1);
  expect(output).toMatch(
    new RegExp(`STORAGE_URL: .*${connector.workflowId}.*expected ${known}, found none`, "s"),
  );
  expect((await readdir(empty)).filter((name) => !name.startsWith("."))).toEqual([]);

  const copy = join(stage.dir, "restored");
  await cp(folder, copy, { recursive: true });
  const restored = await stage.startWorker({ STORAGE_URL: `file:${copy}` });
  await connector.recompute({ enter: ["new"] });
  await eventually("the copy's worker delivers", async () => (await connector.inBraze()).includes("new"));
  await restored.stop();
  // From here on the copy is the storage.
  await rm(folder, { recursive: true });
  await rename(copy, folder);
});

test("a storage that becomes another one under a running worker stops everything, and nothing is sent until it is back", async () => {
  const [link, mounted] = [join(stage.dir, "mount"), stage.connector().storageDir()];
  await symlink(mounted, link);
  const worker = await stage.startWorker({ STORAGE_URL: `file:${link}` });
  const connector = stage.connector();
  await connector.start({ members: ids(300) });
  await connector.ran(1);
  const requests = await connector.requests();

  const other = join(stage.dir, "other");
  await openStorage(`file:${other}`);
  await rm(link);
  await symlink(other, link);
  await connector.recompute({ exitFirst: 200, enter: ["new"] });
  await eventually("the worker refuses", () =>
    worker.output().some((line) => line.includes("storage_mismatch") && line.includes("found none")),
  );
  // Nor is a connector that was never heard of begun there.
  await mkdir(join(other, "connectors"), { recursive: true });
  expect(await connector.requests()).toBe(requests);
  expect(await readdir(join(other, "connectors"))).toEqual([]);
  expect((await connector.describe()).last_run?.number).toBe(1);

  await rm(link);
  await symlink(mounted, link);
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 1, exited: 200 } });
  expect(await connector.differing()).toEqual(nothing);
  await worker.stop();
});
