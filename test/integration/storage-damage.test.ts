import { copyFile, mkdir, rename, truncate } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Process } from "../../sandbox/process.ts";
import { commitKey, configKey, connectorFolder, type FileRef } from "../../src/contracts/log.ts";
import { startStage, type Stage } from "./harness.ts";
import { ids, type TestConnector } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

const members = ids(400);
const change = { exitFirst: 5, enter: ["new"] };

let stage: Stage;
let worker: Process;
beforeAll(async () => {
  // A part looks at its file again every other second.
  stage = await startStage({ env: { PART_SECONDS: "2" } });
  worker = await stage.startWorker();
});
afterAll(() => stage.stop());

/** Takes the file away, or half of its bytes; answers what puts it back. */
type Damage = (path: string, safe: string) => Promise<void>;
const damages: [string, Damage][] = [
  ["deleted", rename],
  [
    "truncated",
    async (path, safe) => {
      await copyFile(path, safe);
      await truncate(path, 40);
    },
  ],
];

async function damaged(connector: TestConnector, key: string, damage: Damage): Promise<() => Promise<void>> {
  const path = join(connector.storageDir(), key);
  const aside = join(stage.dir, "aside");
  await mkdir(aside, { recursive: true });
  const safe = join(aside, `${connector.id}-${basename(key)}`);
  await damage(path, safe);
  return () => rename(safe, path);
}

/** The connector says that it stands still, and why. */
async function parked(connector: TestConnector, code: string): Promise<void> {
  await eventually(`${connector.workflowId} is parked with ${code}`, async () => {
    const { status, last_error_code: shown, current_run: run } = await connector.describe();
    return status === "error" && shown === code && run === null;
  });
}

async function goesOn(connector: TestConnector): Promise<void> {
  await eventually(`${connector.workflowId} goes on`, async () => {
    const { status, last_error: error, current_run: run } = await connector.describe();
    return status === "active" && error === "" && run === null;
  });
}

/** Damages a file of a connector at rest, asks for a run, and puts the file back. */
async function standsStillUntilRestored(
  connector: TestConnector,
  { key, damage, ask, code }: { key: string; damage: Damage; ask: () => Promise<unknown>; code: string },
): Promise<void> {
  const [inBraze, requests] = [await connector.inBraze(), await connector.requests()];
  const restore = await damaged(connector, key, damage);
  await ask();
  await parked(connector, code);
  // Nor does it help to ask again.
  await stage.connectors.sync(connector.key);
  await eventually("it was tried again", async () => {
    const { last_run: run, last_error_code: shown, current_run: current } = await connector.describe();
    return current === null && shown === code && (run?.reason === "sync" || run?.outcome !== "failed");
  });
  await parked(connector, code);
  expect(await connector.requests()).toBe(requests);
  expect(await connector.inBraze()).toEqual(inBraze);

  await restore();
  await stage.connectors.sync(connector.key);
  await goesOn(connector);
}

interface AtRest {
  settings?: Record<string, unknown>;
  workspace?: { blockedIds: string[] };
  /** Brings the connector, whose first run is over, to where it names the file. */
  prepare?: (connector: TestConnector) => Promise<void>;
  file: (connector: TestConnector) => Promise<FileRef | null | undefined>;
  ask?: (connector: TestConnector) => Promise<unknown>;
  /** How many exits are held in the end. */
  held?: number;
}

const guarded = { max_removal_percent: 30 };
const held: AtRest = {
  settings: guarded,
  prepare: async (connector) => {
    await connector.recompute({ exitFirst: 240 });
    await connector.ran(2);
  },
  file: async (connector) => (await connector.log.end()).commit?.pending_removal?.sets[0]?.file,
  held: 245,
};

async function approve(connector: TestConnector): Promise<void> {
  const { pending_removal: pending } = await connector.describe();
  await stage.connectors.approveRemoval(connector.key, pending?.digest ?? "");
}

const filesAtRest: [string, AtRest][] = [
  ["the base snapshot", { file: async (connector) => (await lastLedger(connector))?.base }],
  [
    "the exceptions",
    {
      workspace: { blockedIds: ["user-7"] },
      file: async (connector) => (await lastLedger(connector))?.exceptions,
    },
  ],
  ["exits that are held for a person, at the next recompute,", held],
  ["exits that are held for a person, as they are approved,", { ...held, ask: approve, held: 0 }],
  [
    "exits that were approved and are not out yet",
    {
      ...held,
      prepare: async (connector) => {
        await held.prepare?.(connector);
        await stage.connectors.deactivate(connector.key);
        await approve(connector);
      },
      file: async (connector) => (await connector.log.latestConfig())?.approved?.sets[0]?.file,
      ask: (connector) => stage.connectors.activate(connector.key),
      held: 0,
    },
  ],
];

async function lastLedger(connector: TestConnector) {
  return (await connector.log.end()).commit?.channels[0];
}

describe("a file that the ledger names, once it is damaged, parks the connector with ledger_missing and sends nothing; restored, the next sync delivers:", () => {
  const cases = filesAtRest.flatMap(([what, at]) =>
    damages.map(([how, damage]): [string, AtRest, Damage] => [`${what} ${how}`, at, damage]),
  );

  test.for(cases)("%s", async ([, at, damage]) => {
    const connector = stage.connector();
    await connector.start({ members }, at.settings, at.workspace);
    await connector.ran(1);
    await at.prepare?.(connector);
    const key = (await at.file(connector))?.key ?? "no file";
    const ask = () => (at.ask ?? ((one: TestConnector) => one.recompute(change)))(connector);
    await standsStillUntilRestored(connector, { key, damage, ask, code: "ledger_missing" });
    const { missing, extra } = await connector.differing(at.workspace?.blockedIds);
    const held = (await connector.describe()).pending_removal?.users ?? 0;
    expect({ missing, extra: extra.length, held }).toEqual({ missing: [], extra: held, held: at.held ?? 0 });
  });
});

describe("of a run that is under way", () => {
  const slow = { answerDelayMs: 200 };
  const part = { members: ids(3_000) };

  test.for(damages)(
    "a part %s parks the connector, and restored, all that was planned is written again",
    async ([, damage]) => {
      const connector = stage.connector();
      await connector.start(part, { batch_size: 10 }, slow);
      const plan = await eventually("the plan is written", () => connector.log.plan(1));
      await eventually("something is sent", async () => (await connector.requests()) > 8);
      const key = plan.channels[0]?.deltas[0]?.parts[0]?.key ?? "no part";
      const restore = await damaged(connector, key, damage);
      await parked(connector, "ledger_missing");
      const requests = await connector.requests();
      expect(requests).toBeLessThan(300);
      // It claims nothing either: the run stays open until it is known what it may have sent.
      expect(await connector.log.commit(1)).toBeUndefined();
      await stage.connectors.sync(connector.key);
      await parked(connector, "ledger_missing");
      expect(await connector.requests()).toBe(requests);

      await restore();
      await connector.workspace({ answerDelayMs: 0 });
      await stage.connectors.sync(connector.key);
      expect(await connector.committed(1)).toMatchObject({ reason: "abandoned", counts: { unknown: 3_000 } });
      expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 3_000 } });
      await goesOn(connector);
      expect(await connector.differing()).toEqual({ missing: [], extra: [] });
    },
  );

  test.for(damages)(
    "a list of rejects %s is never taken for none: all is unknown, and written again",
    async ([, damage]) => {
      const connector = stage.connector();
      const blockedIds = part.members.filter((_, index) => index % 2 === 1);
      await connector.start(part, { batch_size: 10 }, { ...slow, blockedIds });
      const list = await eventually(
        "over a thousand are rejected",
        async () => (await connector.files("parts")).find((name) => name.endsWith(".rejects.json")),
        { everyMs: 5 },
      );
      await damaged(connector, `${connectorFolder(connector.key)}parts/${list}`, damage);
      expect(await connector.committed(1)).toMatchObject({ reason: "abandoned", counts: { unknown: 3_000 } });
      await connector.workspace({ answerDelayMs: 0 });
      expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { rejected: 1_500 } });
      expect(await connector.differing(blockedIds)).toEqual({ missing: [], extra: [] });
    },
  );
});

describe("an entry of the log, once it is damaged, parks the connector with log_unreadable and sends nothing; restored, the next sync delivers:", () => {
  const entries: [string, (folder: string) => string][] = [
    ["the newest commit", (folder) => commitKey(folder, 1)],
    ["the settings", (folder) => configKey(folder, 2)],
  ];
  const cases = entries.flatMap(([what, keyOf]) =>
    damages.map(([how, damage]): [string, (folder: string) => string, Damage] => [
      `${what} ${how}`,
      keyOf,
      damage,
    ]),
  );

  test.for(cases)("%s", async ([what, keyOf, damage]) => {
    const connector = stage.connector();
    await connector.start({ members });
    await connector.ran(1);
    const key = keyOf(connectorFolder(connector.key));
    if (what === "the newest commit deleted") return await closesAgain(connector, key, damage);
    const ask = () => connector.recompute(change);
    await standsStillUntilRestored(connector, { key, damage, ask, code: "log_unreadable" });
    expect(await connector.differing()).toEqual({ missing: [], extra: [] });
  });

  /** The only damage that mends itself: a plan without its commit is a run whose end nobody knows. */
  async function closesAgain(connector: TestConnector, key: string, damage: Damage): Promise<void> {
    await damaged(connector, key, damage);
    const requests = await connector.requests();
    await connector.recompute(change);
    await parked(connector, "log_unreadable");
    expect(await connector.requests()).toBe(requests);
    await stage.connectors.sync(connector.key);
    expect(await connector.committed(1)).toMatchObject({ reason: "abandoned", counts: { unknown: 400 } });
    expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 396 } });
    await goesOn(connector);
    expect(await connector.differing()).toEqual({ missing: [], extra: [] });
  }
});

describe("within the quiet window", () => {
  beforeAll(async () => {
    await worker.stop();
    worker = await stage.startWorker({ QUIET_WINDOW_SECONDS: "3600" });
  });

  const kinds: [string, "part" | "plan", string][] = [
    ["a part", "part", "ledger_missing"],
    ["the plan", "plan", "log_unreadable"],
  ];
  const cases = kinds.flatMap(([what, kind, code]) =>
    damages.map(([how, damage]) => [`${what} of the run before, ${how}`, kind, code, damage] as const),
  );

  test.for(cases)(
    "%s, parks the connector: whom it wrote is not known to be free",
    async ([, kind, code, damage]) => {
      const connector = stage.connector();
      await connector.start({ members });
      await connector.ran(1);
      const plan = await connector.log.plan(1);
      const key =
        kind === "part"
          ? (plan?.channels[0]?.deltas[0]?.parts[0]?.key ?? "no part")
          : `${connectorFolder(connector.key)}log/000000000001.plan.json`;
      // A worker that has just read the plan remembers it.
      if (kind === "plan") {
        await worker.stop();
        worker = await stage.startWorker({ QUIET_WINDOW_SECONDS: "3600" });
      }
      const ask = () => connector.recompute(change);
      await standsStillUntilRestored(connector, { key, damage, ask, code });
      expect(await connector.inBraze()).toHaveLength(401);
    },
  );
});
