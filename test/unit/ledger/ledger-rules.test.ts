import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Direction } from "../../../src/contracts/channel.ts";
import type { ChannelPlan, FileRef, LedgerRef } from "../../../src/contracts/log.ts";
import { doubtfulReject, type PartOutcome } from "../../../src/contracts/run.ts";
import { byBytes } from "../../model/byte-order.ts";
import {
  countUsers,
  emptyLedger as emptyModel,
  nextRetry,
  planLedger,
  settleLedger,
} from "../../model/ledger-rules.ts";
import type { Ledger, LedgerPlan, PartFate } from "../../model/ledger-rules.ts";
import {
  attribute,
  emptyLedger,
  folder,
  oddIds,
  openLedgerWorld,
  planOf,
  restEndpoint,
} from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const ids = [...oddIds.slice(0, 9), "y".repeat(988), "z".repeat(988), "plain"];
const codes = ["braze_user_rejected", "braze_user_blocked", "a_code_of_another_release"];

const fateOfPart = fc.oneof(
  { weight: 1, arbitrary: fc.constant<"not started">("not started") },
  {
    weight: 4,
    arbitrary: fc.record({
      cursor: fc.nat(14),
      ahead: fc.nat(4),
      reported: fc.boolean(),
      rejected: fc.array(fc.tuple(fc.nat(13), fc.constantFrom(...codes)), { maxLength: 6 }),
      doubtful: fc.array(fc.nat(13), { maxLength: 6 }),
    }),
  },
);

const anyRun = fc.record({
  desired: fc.subarray(ids),
  /** The recompute changed nothing: what is compared is then the base with itself. */
  again: fc.boolean(),
  empty: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0),
  abandoned: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0),
  hoursLater: fc.integer({ min: 1, max: 60 }),
  entered: fateOfPart,
  exited: fateOfPart,
});

test(
  "the ledger that DuckDB keeps over any runs is the one that the rules give",
  { timeout: 120_000 },
  async () => {
    let runsCompared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyRun, { minLength: 1, maxLength: 4 }), async (runs) => {
        let model: Ledger = emptyModel;
        let ledger = emptyLedger;
        let { desired } = runs[0]!;
        let now = Date.parse("2026-05-02T14:32:05.000Z");
        for (const [index, run] of runs.entries()) {
          now += run.hoursLater * 3_600_000;
          if (!run.again) ({ desired } = run);
          runsCompared += 1;
          ({ model, ledger } = await runBoth(
            index + 1,
            { ...run, desired },
            new Date(now).toISOString(),
            model,
            ledger,
          ));
        }
      }),
      { numRuns: 60 },
    );
    expect(runsCompared).toBeGreaterThanOrEqual(60);
  },
);

type Run = typeof anyRun extends fc.Arbitrary<infer R> ? R : never;

async function runBoth(number: number, run: Run, at: string, model: Ledger, ledger: typeof emptyLedger) {
  const snapshot = await world.snapshot(run.desired, ledger.base);
  const target = run.empty ? "empty" : "snapshot";
  const [channel] = await world.ledger.diffChannels({
    folder,
    number,
    snapshot,
    channels: [{ channel: attribute, ...ledger, target, batchSize: 75 }],
    at,
  });
  const desired = new Set(run.empty ? [] : run.desired);
  const planned = planLedger(model, desired, { at });
  expect(await diffOf(channel!)).toEqual(sorted(planned));

  const fates = {
    entered: fateModel(run.entered, moving(planned, "entered").length),
    exited: fateModel(run.exited, moving(planned, "exited").length),
  };
  const settled = settleLedger(
    planned,
    planned.parts.map(({ direction }) => (run.abandoned ? "abandoned" : fates[direction])),
    { at },
  );
  const plan = planOf(number, snapshot, [channel!]);
  const settling = { folder, number, plan, restEndpoint, at };
  const [after] = run.abandoned
    ? await world.ledger.abandonRun(settling)
    : await world.ledger.settleLedger({ ...settling, parts: await outcomes(channel!, fates) });

  const forgotten = run.empty && settled.exceptions.size === 0;
  expect(
    after && { base: after.base, rows: await world.rows(after.exceptions), ...numbersOf(after) },
  ).toEqual(
    forgotten
      ? undefined
      : {
          base: run.empty ? null : snapshot,
          rows: rowsOf(settled.exceptions),
          counts: countUsers(settled),
          retry_at: nextRetry(settled),
        },
  );
  if (after === undefined) return { model: emptyModel, ledger: emptyLedger };
  return { model: settled, ledger: { base: after.base, exceptions: after.exceptions } };
}

function numbersOf({ counts, retry_at }: LedgerRef) {
  return { counts, retry_at };
}

function fateModel(fate: Run["entered"], users: number): PartFate {
  if (fate === "not started") return fate;
  const cursor = Math.min(fate.cursor, users);
  const rejects: Record<string, number[]> = {};
  // One code a place, also past the cursor, where it must not count.
  for (const [place, code] of new Map(fate.rejected)) if (place < users) (rejects[code] ??= []).push(place);
  return {
    cursor,
    attempted: Math.min(cursor + fate.ahead, users),
    reported: fate.reported,
    rejects,
    doubtful: fate.doubtful,
  };
}

/** The sender's way to say whose rejection leaves it open what Braze holds. */
function namedAsReported(rejects: Record<string, number[]>, doubtful: readonly number[]) {
  const named: Record<string, number[]> = {};
  for (const [code, places] of Object.entries(rejects)) {
    for (const place of places) {
      (named[doubtful.includes(place) ? `${doubtfulReject}${code}` : code] ??= []).push(place);
    }
  }
  return named;
}

/** As the sender reports it; every second one with its rejects in a file. */
async function outcomes(channel: ChannelPlan, fates: Record<Direction, PartFate>): Promise<PartOutcome[]> {
  const listed: PartOutcome[] = [];
  for (const { direction } of channel.deltas) {
    const fate = fates[direction];
    if (typeof fate === "string") continue;
    const { cursor, attempted, reported, doubtful = [] } = fate;
    const rejects = namedAsReported(fate.rejects, doubtful);
    const count = Object.values(rejects).flat().length;
    const file: FileRef | null = cursor % 2 ? await world.ledger.publishRejects(folder, 1, rejects) : null;
    const progress = {
      cursor,
      attempted,
      requests: 1,
      resent: 0,
      rejects: { count, inline: file ? {} : rejects, file },
    };
    listed.push({ channel: attribute, direction, part: 0, reported, progress });
  }
  return listed;
}

async function diffOf(channel: ChannelPlan) {
  const users = async (direction: Direction) => {
    const delta = channel.deltas.find((each) => each.direction === direction);
    const rows = await world.rows(delta?.parts[0] ?? null);
    expect(delta?.users ?? 0).toBe(rows.length);
    return rows;
  };
  return {
    entered: await users("entered"),
    exited: await users("exited"),
    kept: await world.rows(channel.kept),
  };
}

function sorted(plan: LedgerPlan) {
  const users = (direction: Direction) => rowsOf(new Map(moving(plan, direction)));
  return { entered: users("entered"), exited: users("exited"), kept: rowsOf(plan.kept) };
}

/** One part holds them all. */
function moving(plan: LedgerPlan, direction: Direction) {
  return plan.parts.find((part) => part.direction === direction)?.users ?? [];
}

function rowsOf(users: ReadonlyMap<string, object>) {
  return [...users].sort(([a], [b]) => byBytes(a, b)).map(([user_id, rest]) => ({ user_id, ...rest }));
}
