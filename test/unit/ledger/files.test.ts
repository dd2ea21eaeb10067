import { readFile, truncate, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FileRef } from "../../../src/contracts/log.ts";
import type { PartOutcome } from "../../../src/contracts/run.ts";
import { attribute, folder, openLedgerWorld, planOf, restEndpoint } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const at = "2026-05-02T14:32:05Z";

const damages: [string, (path: string) => Promise<void>][] = [
  ["missing", unlink],
  ["truncated", async (path) => truncate(path, (await readFile(path)).byteLength - 1)],
  ["emptied", (path) => truncate(path, 0)],
  [
    "changed in one bit, its times set back",
    async (path) => {
      const bytes = await readFile(path);
      bytes[bytes.byteLength >> 1]! ^= 1;
      await writeFile(path, bytes);
      await utimes(path, 0, 0);
    },
  ],
];

/** A run of two parts, one settled with a rejected user and one never sent, so that its ledger has exceptions. */
async function aRun() {
  const ids = Array.from({ length: 20_500 }, (_, index) => `user-${index}`);
  const base = await world.snapshot([...ids.slice(1), "gone"]);
  const snapshot = await world.snapshot(ids);
  const channel = {
    channel: attribute,
    base: null,
    exceptions: null,
    target: "snapshot",
    batchSize: 75,
  } as const;
  const [plan] = await world.ledger.diffChannels({ folder, number: 1, snapshot, channels: [channel], at });
  const rejects = await world.ledger.publishRejects(folder, 1, { braze_user_rejected: [3] });
  const progress = { cursor: 20_475, attempted: 20_475, requests: 273, resent: 0 };
  const outcome: PartOutcome = {
    channel: attribute,
    direction: "entered",
    part: 0,
    reported: true,
    progress: { ...progress, rejects: { count: 1, inline: {}, file: rejects } },
  };
  const settle = () =>
    world.ledger.settleLedger({
      folder,
      number: 1,
      plan: planOf(1, snapshot, [plan!]),
      restEndpoint,
      parts: [outcome],
      at,
    });
  const [ledger] = await settle();
  const diff = (files: { base: FileRef | null; exceptions: FileRef | null }) =>
    world.ledger.diffChannels({ folder, number: 2, snapshot, channels: [{ ...channel, ...files }], at });
  return { base, snapshot, plan: plan!, rejects, settle, diff, exceptions: ledger!.exceptions! };
}

describe.each(damages)("a file that is %s stops with ledger_missing and its key alone:", (_, damage) => {
  const kinds: [string, (run: Awaited<ReturnType<typeof aRun>>) => [FileRef, () => Promise<unknown>]][] = [
    ["the snapshot", (run) => [run.snapshot, () => run.diff({ base: null, exceptions: null })]],
    ["the base", (run) => [run.base, () => run.diff({ base: run.base, exceptions: null })]],
    ["the exceptions", (run) => [run.exceptions, () => run.diff({ base: null, exceptions: run.exceptions })]],
    ["a part", (run) => [part(run), () => world.ledger.readPart(part(run))]],
    ["a part that a commit reads", (run) => [part(run), run.settle]],
    ["a part's rejects", (run) => [run.rejects, run.settle]],
  ];

  test.each(kinds)("%s", async (_kind, choose) => {
    const run = await aRun();
    const [ref, use] = choose(run);
    await use(); // whole, and so remembered as proven
    await damage(join(world.root, ref.key));
    const error = await use().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ledger_missing", detail: ref.key });
    expect(String(error)).not.toContain(world.root);
    expect(await world.leftovers()).toEqual([]);
  });
});

function part(run: { plan: { deltas: { parts: FileRef[] }[] } }): FileRef {
  return run.plan.deltas[0]!.parts[0]!;
}
