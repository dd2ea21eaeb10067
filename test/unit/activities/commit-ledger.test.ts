import { MockActivityEnvironment } from "@temporalio/testing";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCommitLedger } from "../../../src/activities/commit-ledger.ts";
import type { ActivityDeps } from "../../../src/activities/deps.ts";
import type { ConnectorKey } from "../../../src/contracts/connector-id.ts";
import { connectorFolder, type Commit, type Plan } from "../../../src/contracts/log.ts";
import type { CommitLedgerInput, PartOutcome, VerifiedWrites } from "../../../src/contracts/run.ts";
import { attribute, emptyLedger, openLedgerWorld, planOf, type LedgerWorld } from "../ledger/ledger-world.ts";
import { createdConnector } from "./created-connector.ts";

const at = "2026-05-02T14:32:05.000Z";
const error = { code: "run_cancelled", message: "stopped" };
let world: LedgerWorld;
let segment = 0;

beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const found: VerifiedWrites = {
  checked: 2,
  wrong: 1,
  skipped: null,
  channel: attribute,
  wrongUsers: null,
  through: 1,
};

describe("a run that is stopped before it sends anything", () => {
  test("leaves the ledger as it was", async () => {
    const { ledger } = await stopped({ ...found, wrong: 0 }, []);
    expect(ledger).toMatchObject({ exceptions: null, counts: { delivered: 2, unknown: 0, waiting: 0 } });
  });

  test("leaves users unknown whom Braze showed wrong: its plan is all that knows of them", async () => {
    const { ledger, commit } = await stopped(found, ["ann"]);
    expect(await world.rows(ledger?.exceptions ?? null)).toMatchObject([
      { user_id: "ann", state: "unknown", reason: "not_sent" },
      { user_id: "new", state: "absent", reason: "not_sent" },
    ]);
    expect(commit).toMatchObject({
      outcome: "partial",
      sent: false,
      verification: { checked: 2, wrong: 1, skipped: null },
      verified_through: 1,
    });
  });

  test("before it planned, is not through with what it verified", async () => {
    const { commit } = await stopped(found, [], { configNumber: null });
    expect(commit).toMatchObject({ verification: { wrong: 1 } });
    expect(commit.verified_through).toBeUndefined();
  });
});

/** Run 1 delivered ann and bob; run 2 is stopped in front of `new` and of whoever was found wrong. */
async function stopped(verified: VerifiedWrites, wrong: string[], input: Partial<CommitLedgerInput> = {}) {
  const key = await connector();
  const first = await plan(key, 1, ["ann", "bob"], undefined);
  const parts = first.channels.flatMap(({ channel, deltas }) =>
    deltas.flatMap(({ direction, parts: files }) =>
      files.map(({ rows }, part): PartOutcome => {
        const rejects = { count: 0, inline: {}, file: null };
        const progress = { cursor: rows, attempted: rows, rejects, requests: 1, resent: 0 };
        return { channel, direction, part, reported: true, progress };
      }),
    ),
  );
  const delivered = await close(key, 1, { parts, planned: true });
  if (input.configNumber !== null) await plan(key, 2, ["ann", "bob", "new"], delivered, wrong);
  const commit = await close(key, 2, { error, verified, ...input });
  return { commit, ledger: commit.channels[0] };
}

async function plan(
  key: ConnectorKey,
  number: number,
  members: string[],
  previous: Commit | undefined,
  wrong: string[] = [],
): Promise<Plan> {
  const folder = connectorFolder(key);
  const snapshot = await world.snapshot(members);
  const { base, exceptions } = previous?.channels[0] ?? emptyLedger;
  const users = wrong.length > 0 ? await world.ledger.publishWrong({ folder, number, userIds: wrong }) : null;
  const channel = {
    channel: attribute,
    base,
    exceptions,
    target: "snapshot",
    batchSize: 75,
    wrong: users,
  } as const;
  const channels = await world.ledger.diffChannels({ folder, number, snapshot, channels: [channel], at });
  const written = planOf(number, snapshot, channels);
  expect(await world.ledger.log(key).putPlan(written)).toBe("mine");
  return written;
}

async function close(key: ConnectorKey, number: number, input: Partial<CommitLedgerInput>): Promise<Commit> {
  const deps = {
    ledger: world.ledger,
    heavy: (work) => work(),
    log: pino({ level: "silent" }),
  } as ActivityDeps;
  const { workflow_id: workflowId, run_id: runId } = planOf(number, null, []);
  const scope = { key, number, workflowId, runId };
  const base = { scope, at, startedAt: at, reason: "sync", membership: null, configNumber: 1, error: null };
  const whole: CommitLedgerInput = { ...base, planned: false, parts: [], ...input };
  await new MockActivityEnvironment({}).run(createCommitLedger(deps), whole);
  const commit = await world.ledger.log(key).commit(number);
  if (!commit) throw new Error("it was not closed");
  return commit;
}

async function connector(): Promise<ConnectorKey> {
  return await createdConnector(world, ++segment);
}
