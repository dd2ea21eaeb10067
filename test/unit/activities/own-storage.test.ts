import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ActivityDeps } from "../../../src/activities/deps.ts";
import { onOwnStorage } from "../../../src/activities/own-storage.ts";
import { createStorageId } from "../../../src/storage/instance.ts";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { Storage } from "../../../src/storage/storage.ts";

const key = { tenant_slug: "acme", segment_id: 7 };
let dir: string;
let storage: Storage;
let storageId: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "own-storage-"));
  storage = await openStorage(`file:${dir}`);
  storageId = await createStorageId(storage);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** An activity behind the check, and how often it was reached. */
function guarded(deps: { storage: Storage; storageId: string } = { storage, storageId }) {
  let reached = 0;
  const count = (): Promise<number> => Promise.resolve(++reached);
  const activity: (input: Input) => Promise<number> = onOwnStorage(deps as ActivityDeps, count);
  return { activity, reached: () => reached };
}
type Input = Parameters<ReturnType<typeof onOwnStorage>>[0];

const scopeOf = (known?: string | null) => ({
  scope: {
    key,
    number: 1,
    workflowId: "w",
    runId: "r",
    ...(known === undefined ? {} : { storageId: known }),
  },
});

test.each([
  ["a connector that knows this storage", (id: string) => ({ storageId: id })],
  ["a run that knows this storage", (id: string) => scopeOf(id)],
  ["a connector that knows none yet", () => ({ storageId: null })],
  ["a history that says nothing of it", () => scopeOf()],
])("works for %s", async (_, inputOf) => {
  const { activity, reached } = guarded();
  await activity(inputOf(storageId));
  expect(reached()).toBe(1);
});

test.each([
  ["a connector", (id: string) => ({ storageId: id })],
  ["a run", (id: string) => scopeOf(id)],
])(
  "refuses %s whose log is in another storage, before anything is read, saying both ids",
  async (_, inputOf) => {
    const { activity, reached } = guarded();
    const another = "00000000-0000-4000-8000-000000000002";
    await expect(activity(inputOf(another))).rejects.toMatchObject({
      code: "storage_mismatch",
      detail: `expected ${another}, found ${storageId}`,
      retryAfterMs: 5_000,
    });
    expect(reached()).toBe(0);
  },
);

test("refuses everything when the storage under a running worker has become another one, or an empty folder", async () => {
  const empty = await openStorage(`file:${join(dir, "empty")}`);
  const swapped = guarded({ storage: empty, storageId });
  await expect(swapped.activity({ storageId: null })).rejects.toMatchObject({
    code: "storage_mismatch",
    detail: `expected ${storageId}, found none`,
  });
  await createStorageId(empty);
  await expect(swapped.activity(scopeOf())).rejects.toMatchObject({ code: "storage_mismatch" });
  expect(swapped.reached()).toBe(0);
});
