import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FaultInput } from "../../sandbox/segops/control-shapes.ts";
import type { Commit } from "../../src/contracts/log.ts";
import { startStage, type Stage } from "./harness.ts";
import type { TestConnector } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

const nothing = { missing: [], extra: [] };

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
  await stage.startWorker();
});
afterAll(() => stage.stop());

interface Trouble {
  fault: FaultInput;
  /** Over 10,000 members come as an export. */
  members: number;
}

interface WhileBad {
  inBraze: string[];
  requests: number;
  log: string[];
}

interface BadRun {
  connector: TestConnector;
  before: string[];
  /** What was to be seen after two attempts, before the source healed. */
  whileBad: WhileBad | undefined;
}

const paged = 2_500;
const exported = 10_200;
const troubles: [string, Trouble][] = [
  ["a recompute tears the pages", { fault: { kind: "recompute_mid_page" }, members: paged }],
  ["a page is missing", { fault: { kind: "missing_page" }, members: paged }],
  ["the pages run in a circle", { fault: { kind: "repeated_cursor" }, members: paged }],
  ["member_count and members disagree", { fault: { kind: "short_count" }, members: paged }],
  ["the segment is older than what was delivered", { fault: { kind: "older_computed_at" }, members: paged }],
  ["a page of members is empty", { fault: { kind: "empty", on: "members" }, members: paged }],
  ["a page of members is cut off", { fault: { kind: "truncated", on: "members" }, members: paged }],
  ["the segment is answered with a page of HTML", { fault: { kind: "html", on: "segment" }, members: paged }],
  ["SegOps answers 503", { fault: { kind: "503", on: "any" }, members: paged }],
  ["a recompute passes the export", { fault: { kind: "recompute_mid_export" }, members: exported }],
  ["the export's Parquet is damaged", { fault: { kind: "damaged_parquet" }, members: exported }],
  ["the export's file is cut off", { fault: { kind: "truncated", on: "file" }, members: exported }],
  ["the export's file is empty", { fault: { kind: "empty", on: "file" }, members: exported }],
];

describe("a bad source clears nobody and sends nothing, and once it heals the same run delivers, when", () => {
  const runs = new Map<string, BadRun>();
  let healthyWhileBad: Commit;

  beforeAll(async () => {
    const healthy = stage.connector();
    await Promise.all(
      troubles.map(async ([what, { members }]) => {
        const connector = stage.connector();
        await connector.start({ generate: { count: members, prefix: "user-" } });
        await connector.ran(1);
        runs.set(what, { connector, before: await connector.inBraze(), whileBad: undefined });
      }),
    );
    // All at once: the longer a source is bad, the longer it is until it is read again.
    const faults = await Promise.all(
      troubles.map(async ([what, { fault }]) => {
        const { connector } = runOf(what);
        const id = await stage.stack.segops.addFault({ ...fault, segment: connector.id, times: "always" });
        await connector.recompute({ exitFirst: 100, enter: ["newcomer"] });
        return id;
      }),
    );
    await eventually("every fault has struck twice", async () => {
      const struck = new Map((await stage.stack.segops.faults()).map((fault) => [fault.id, fault.struck]));
      return faults.every((id) => (struck.get(id) ?? 0) >= 2);
    });
    for (const run of runs.values()) run.whileBad = await lookAt(run.connector);
    await healthy.start({ generate: { count: 300, prefix: "user-" } });
    healthyWhileBad = await healthy.ran(1);
    await stage.stack.segops.clearFaults();
  }, 240_000);

  function runOf(what: string) {
    const run = runs.get(what);
    if (!run) throw new Error(`nothing was begun for: ${what}`);
    return run;
  }

  async function lookAt(connector: TestConnector): Promise<WhileBad> {
    const [inBraze, requests] = [await connector.inBraze(), await connector.requests()];
    return { inBraze, requests, log: await connector.files("log") };
  }

  test.for(troubles)("%s", async ([what, { members }]) => {
    const { connector, before, whileBad } = runOf(what);
    const loaded = Math.ceil(members / 75);
    const log = ["000000000001.commit.json", "000000000001.plan.json"];
    expect(whileBad).toEqual({ inBraze: before, requests: loaded, log });
    const commit = await connector.ran(2);
    expect(commit).toMatchObject({ outcome: "clean", counts: { entered: 1, exited: 100, requests: 3 } });
    expect(await connector.differing()).toEqual(nothing);
  });

  test("thirteen sources are bad at once, and others are delivered meanwhile", () => {
    expect(healthyWhileBad).toMatchObject({ outcome: "clean", counts: { entered: 300 } });
  });
});

test("a segment that SegOps does not find is an error, not an empty one, and delivery goes on once it is back", async () => {
  const connector = stage.connector();
  await connector.start({ generate: { count: 300, prefix: "user-" } });
  await connector.ran(1);
  const before = await connector.inBraze();
  await stage.stack.segops.addFault({ kind: "not_found", on: "segment", segment: connector.id });
  await connector.recompute({ exitFirst: 100 });
  expect(await connector.ran(2)).toMatchObject({ outcome: "failed", error: { code: "segment_not_found" } });
  const view = await connector.describe();
  expect(view).toMatchObject({ status: "error", last_error_code: "segment_not_found" });
  expect(view.last_error).toContain("nobody is unset because of this");
  expect(await connector.inBraze()).toEqual(before);

  await connector.recompute();
  expect(await connector.ran(3)).toMatchObject({ outcome: "clean", counts: { exited: 100 } });
  expect(await connector.describe()).toMatchObject({ status: "active", last_error: "" });
  expect(await connector.differing()).toEqual(nothing);
});

test("a deleted segment keeps everyone as they are in Braze", async () => {
  const connector = stage.connector();
  await connector.start({ generate: { count: 300, prefix: "user-" } });
  await connector.ran(1);
  const before = await connector.inBraze();
  await stage.stack.segops.deleteSegment(connector.key.tenant_slug, connector.id);
  await stage.connectors.sync(connector.key);
  expect(await connector.ran(2)).toMatchObject({ outcome: "failed", error: { code: "segment_not_found" } });
  expect(await connector.inBraze()).toEqual(before);
});

test("a segment that was never computed is no empty one: its connector waits, and says so when asked to sync", async () => {
  const connector = stage.connector();
  await connector.workspace({});
  await connector.segment({ generate: { count: 300, prefix: "user-" } });
  await connector.create();
  await stage.connectors.sync(connector.key);
  expect(await connector.ran(1)).toMatchObject({
    outcome: "failed",
    error: { code: "segment_not_computed" },
  });
  await connector.recompute();
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 300 } });
});

test("a webhook that never came is found by the look at last_computed_at", async () => {
  const quick = stage.connector();
  await quick.start({ generate: { count: 300, prefix: "user-" } });
  await quick.ran(1);
  await quick.compute({ enter: ["unannounced"] });
  // Activating again looks at once, as the hour's end does.
  await stage.connectors.activate(quick.key);
  expect(await quick.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 1 } });
});

test("a ledger file that is missing stops the run: missing is never empty", async () => {
  const connector = stage.connector();
  await connector.start({ generate: { count: 300, prefix: "user-" } });
  const [snapshot] = [(await connector.ran(1)).channels[0]?.base?.key];
  await stage.storage.delete(snapshot ?? "");
  const before = await connector.requests();
  await connector.recompute({ exitFirst: 100 });
  expect(await connector.ran(2)).toMatchObject({ outcome: "failed", error: { code: "ledger_missing" } });
  expect(await connector.requests()).toBe(before);
  expect(await connector.inBraze()).toHaveLength(300);
  expect((await connector.describe()).last_error).toContain("Restore it from a backup");
});
