import { unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commitKey, planKey } from "../../../src/contracts/log.ts";
import type { Commit, ConfigEntry, Plan } from "../../../src/contracts/log.ts";
import type { ConnectorLog } from "../../../src/ledger/log.ts";
import { attribute, folder, openLedgerWorld, planOf } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

const key = { tenant_slug: "acme", segment_id: 7 };
const otherRun = "00000000-0000-4000-8000-000000000002";

let world: LedgerWorld;
let log: ConnectorLog;
beforeEach(async () => {
  world = await openLedgerWorld();
  log = world.ledger.log(key);
});
afterEach(() => world.close());

function plan(number: number, change: Partial<Plan> = {}): Plan {
  return { ...planOf(number, null, []), ...change };
}

function commit(number: number, change: Partial<Commit> = {}): Commit {
  const { version, workflow_id, run_id, at } = plan(number);
  const counts = { entered: 0, exited: 0, rejected: 0, unknown: 0, waiting: 0, requests: 0, resent: 0 };
  const nothing = { config_number: 1, recompute: null, dropped: null, synced: null, error: null };
  const head = {
    version,
    kind: "commit",
    number,
    workflow_id,
    run_id,
    at,
    outcome: "clean",
    reason: "sync",
  } as const;
  return { ...head, ...nothing, channels: [], counts, started_at: at, ...change };
}

function config(number: number, changeId: string): ConfigEntry {
  return {
    version: 1,
    kind: "config",
    number,
    at: "2026-05-02T14:32:05.000Z",
    workflow_id: "braze/acme/7",
    change_id: changeId,
    change: "configured",
    status: "inactive",
    config: {
      rest_endpoint: "https://rest.iad-01.braze.com",
      api_key: "e30.a.b.c.d",
      attribute_name: "segops_segment_7",
      exit_mode: "remove",
      create_missing_users: true,
      max_removal_percent: 30,
      requests_per_second: 1000,
      batch_size: 75,
    },
  };
}

function scopeOf({ number, workflow_id: workflowId, run_id: runId }: Plan) {
  return { key, number, workflowId, runId };
}

async function closeRuns(upTo: number): Promise<void> {
  for (let number = 1; number <= upTo; number += 1) {
    await log.putPlan(plan(number));
    await log.putCommit(commit(number));
  }
}

describe("the log", () => {
  test("of a connector that never ran ends at 0 and is not open", async () => {
    expect(await log.end()).toEqual({ lastNumber: 0, open: false });
    expect(await log.runs({ limit: 10 })).toEqual([]);
    expect(await log.latestConfig()).toBeUndefined();
    expect(await log.commitBefore(1)).toBeUndefined();
  });

  test("ends with its newest run, past nine and past a run without a plan, and says whether it is open", async () => {
    await closeRuns(10);
    await log.putCommit(commit(11, { outcome: "failed" }));
    expect(await log.end()).toEqual({
      lastNumber: 11,
      commit: commit(11, { outcome: "failed" }),
      open: false,
    });
    await log.putPlan(plan(12));
    expect(await log.end()).toEqual({ lastNumber: 12, plan: plan(12), open: true });
    expect(await log.commitBefore(12)).toEqual(commit(11, { outcome: "failed" }));
  });

  test("lists runs newest first, by pages", async () => {
    await closeRuns(5);
    await log.putPlan(plan(6));
    expect((await log.runs({ limit: 2 })).map((run) => [run.number, run.commit?.outcome])).toEqual([
      [6, undefined],
      [5, "clean"],
    ]);
    expect((await log.runs({ limit: 9, before: 3 })).map((run) => run.number)).toEqual([2, 1]);
  });
});

describe("a plan", () => {
  test("is mine again when the same workflow run writes it again, and the first text stays", async () => {
    expect(await log.putPlan(plan(1))).toBe("mine");
    expect(await log.putPlan(plan(1, { config_number: 9 }))).toBe("mine");
    expect((await log.plan(1))?.config_number).toBe(1);
  });

  test("of another run under the same number is taken, also for the same workflow id after a reset", async () => {
    expect(await log.putPlan(plan(1))).toBe("mine");
    expect(await log.putPlan(plan(1, { run_id: otherRun }))).toBe("taken");
    expect(await log.putPlan(plan(1, { workflow_id: "braze/acme/7/run/9" }))).toBe("taken");
  });

  test("is refused once its run is closed, even the very same plan", async () => {
    await log.putPlan(plan(1));
    await log.putCommit(commit(1, { run_id: otherRun }));
    expect(await log.putPlan(plan(1))).toBe("taken");
  });

  test("is refused where its run was closed without one", async () => {
    await log.putCommit(commit(1));
    expect(await log.putPlan(plan(1))).toBe("taken");
    expect(await log.plan(1)).toBeUndefined();
  });

  test("needs the commit before it: a hole in the log is no fresh start", async () => {
    const hole = { code: "log_unreadable", detail: commitKey(folder, 1) };
    await expect(log.putPlan(plan(2))).rejects.toMatchObject(hole);
    await expect(log.putCommit(commit(2))).rejects.toMatchObject(hole);
    expect(await log.end()).toMatchObject({ lastNumber: 0 });
  });

  test("of twenty writers at once is mine for exactly one", async () => {
    const runs = Array.from({ length: 20 }, (_, index) => `run-${index}`);
    const answers = await Promise.all(
      runs.map((run_id) => world.ledger.log(key).putPlan(plan(1, { run_id }))),
    );
    expect(answers.filter((answer) => answer === "mine")).toHaveLength(1);
    expect((await log.plan(1))?.run_id).toBe(runs[answers.indexOf("mine")]);
  });
});

describe("a commit", () => {
  test("closes its run once: whoever comes later is told who did", async () => {
    await log.putPlan(plan(1));
    expect(await log.putCommit(commit(1))).toEqual({ by: "mine", commit: commit(1) });
    expect(await log.putCommit(commit(1, { outcome: "failed" }))).toEqual({ by: "mine", commit: commit(1) });
    const late = commit(1, { run_id: otherRun, outcome: "superseded" });
    expect(await log.putCommit(late)).toEqual({ by: "another", commit: commit(1) });
  });
});

describe("a run is open", () => {
  test("for the run that wrote its plan, until anybody closes it", async () => {
    const mine = scopeOf(plan(1));
    expect(await log.isOpen(mine)).toBe(false);
    await log.putPlan(plan(1));
    expect(await log.isOpen(mine)).toBe(true);
    expect(await log.isOpen({ ...mine, runId: otherRun })).toBe(false);
    expect(await log.isOpen({ ...mine, number: 2 })).toBe(false);
    await world.ledger.log(key).putCommit(commit(1, { run_id: otherRun }));
    expect(await log.isOpen(mine)).toBe(false);
  });
});

describe("settings", () => {
  test("are numbered, the newest counts, and a number is one change's", async () => {
    for (let number = 1; number <= 10; number += 1) {
      expect(await log.writeConfig(config(number, `change-${number}`))).toBe("created");
    }
    expect(await log.writeConfig(config(10, "another"))).toBe("taken");
    expect(await log.writeConfig(config(10, "change-10"))).toBe("created");
    expect(await log.latestConfig()).toEqual(config(10, "change-10"));
    expect(await log.config(3)).toEqual(config(3, "change-3"));
  });
});

describe("an entry that cannot be read stops with log_unreadable and its key alone:", () => {
  const entries: [string, string][] = [
    ["no JSON", '{"version":1,'],
    ["of a shape that this release does not know", '{"version":2,"kind":"plan","number":1}'],
    ["of another number", JSON.stringify(plan(4))],
    ["empty", ""],
  ];

  test.each(entries)("%s", async (_, text) => {
    await world.storage.putIfAbsent(planKey(folder, 1), text);
    const error = await log.plan(1).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "log_unreadable", detail: planKey(folder, 1) });
    expect(error).not.toHaveProperty("cause");
    await expect(log.end()).rejects.toMatchObject({ code: "log_unreadable" });
  });

  test("a damaged commit is never taken for an open run", async () => {
    await closeRuns(1);
    await writeFile(join(world.root, commitKey(folder, 1)), "{}");
    await expect(log.end()).rejects.toMatchObject({ code: "log_unreadable" });
    await expect(log.commitBefore(2)).rejects.toMatchObject({ code: "log_unreadable" });
    expect(await log.isOpen(scopeOf(plan(1)))).toBe(false);
  });

  test("a commit that is gone from the middle does not end the log early", async () => {
    await closeRuns(3);
    await unlink(join(world.root, commitKey(folder, 2)));
    expect(await log.end()).toMatchObject({ lastNumber: 3, open: false });
  });
});

test("the whole of a plan comes back as it was written", async () => {
  const snapshot = await world.snapshot(["a"]);
  const channel = {
    channel: attribute,
    base: null,
    exceptions: null,
    target: "snapshot",
    batchSize: 75,
  } as const;
  const at = "2026-05-02T14:32:05Z";
  const channels = await world.ledger.diffChannels({ folder, number: 1, snapshot, channels: [channel], at });
  const recompute = { computed_at: at, member_count: 1, segment_name: "High LTV \u{1F600}" };
  const whole = plan(1, { snapshot, channels, recompute });
  await log.putPlan(whole);
  expect(await world.ledger.log(key).plan(1)).toEqual(whole);
});
