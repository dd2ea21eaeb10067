import { MockActivityEnvironment } from "@temporalio/testing";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createCloseRun } from "../../../src/activities/close-run.ts";
import { createCommitLedger } from "../../../src/activities/commit-ledger.ts";
import type { ActivityDeps } from "../../../src/activities/deps.ts";
import type { ConnectorKey } from "../../../src/contracts/connector-id.ts";
import { CodedError } from "../../../src/contracts/errors.ts";
import type { CommitLedgerInput, CommittedRun } from "../../../src/contracts/run.ts";
import { ConnectorLog } from "../../../src/ledger/log.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { openLedgerWorld, planOf, type LedgerWorld } from "../ledger/ledger-world.ts";
import { createdConnector } from "./created-connector.ts";

const at = "2026-05-02T14:32:05.000Z";
const runId = planOf(1, null, []).run_id;
let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

/** A storage that does what it is told, and whose answer to creating a commit is lost so many times. */
function losesAnswers(storage: Storage, times: number): Storage {
  return {
    ...storage,
    putIfAbsent: async (key, body) => {
      const answer = await storage.putIfAbsent(key, body);
      if (key.endsWith(".commit.json") && times-- > 0) throw new CodedError("storage_unavailable", "EIO");
      return answer;
    },
  };
}

let segment = 0;
let key: ConnectorKey;
let log: ConnectorLog;
beforeEach(async () => {
  key = await createdConnector(world, ++segment);
  log = world.ledger.log(key);
  await log.putPlan(planOf(1, null, []));
});

function depsOver(storage: Storage): ActivityDeps {
  const ledger = { ...world.ledger, log: (of: ConnectorKey) => new ConnectorLog(storage, of) };
  const heavy = <T>(work: () => Promise<T>): Promise<T> => work();
  return { ledger, heavy, log: pino({ level: "silent" }) } as unknown as ActivityDeps;
}

const scopeOf = (run: string, workflowId = planOf(1, null, []).workflow_id) => ({
  key,
  number: 1,
  workflowId,
  runId: run,
});

const inputOf = (run: string): CommitLedgerInput => ({
  scope: scopeOf(run),
  at,
  startedAt: at,
  reason: "recompute",
  membership: null,
  planned: true,
  configNumber: 1,
  parts: [],
  error: null,
});

function attempt<Input>(
  activity: (input: Input) => Promise<CommittedRun>,
  input: Input,
): Promise<CommittedRun> {
  return new MockActivityEnvironment().run(activity, input);
}

test("a commit whose answer was lost is found by the next attempt: one commit, the run's own", async () => {
  const commitLedger = createCommitLedger(depsOver(losesAnswers(world.storage, 1)));
  await expect(attempt(commitLedger, inputOf(runId))).rejects.toMatchObject({ code: "storage_unavailable" });
  const written = await log.commit(1);
  expect(written).toMatchObject({ run_id: runId });
  const committed = await attempt(commitLedger, inputOf(runId));
  expect(committed.summary).toMatchObject({ outcome: "no_change", finished_at: written?.at });
  expect(await log.commit(1)).toEqual(written);
  expect(await log.end()).toMatchObject({ lastNumber: 1, open: false });
});

test("a run whose commit's answer was lost and which died then is not closed a second time", async () => {
  const lossy = depsOver(losesAnswers(world.storage, 1));
  await expect(attempt(createCommitLedger(lossy), inputOf(runId))).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  const written = await log.commit(1);
  const scope = scopeOf("00000000-0000-4000-8000-000000000009", "braze/acme/7");
  const closed = await attempt(createCloseRun(lossy), { scope, at });
  expect(closed.summary).toMatchObject({ outcome: "no_change", reason: "recompute" });
  expect(await log.commit(1)).toEqual(written);
});

test("a commit that comes after another's, whose answer was lost, is superseded and changes nothing", async () => {
  const scope = scopeOf("00000000-0000-4000-8000-000000000009", "braze/acme/7");
  const closeRun = createCloseRun(depsOver(losesAnswers(world.storage, 1)));
  await expect(attempt(closeRun, { scope, at })).rejects.toMatchObject({ code: "storage_unavailable" });
  const late = await attempt(createCommitLedger(depsOver(world.storage)), inputOf(runId));
  expect(late.summary.outcome).toBe("superseded");
  expect(await log.commit(1)).toMatchObject({ reason: "abandoned" });
  expect((await attempt(closeRun, { scope, at })).summary).toMatchObject({ reason: "abandoned" });
});
