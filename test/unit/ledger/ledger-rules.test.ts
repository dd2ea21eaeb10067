import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Direction } from "../../../src/contracts/channel.ts";
import type { ChannelPlan, FileRef, LedgerRef } from "../../../src/contracts/log.ts";
import { doubtfulReject, type PartOutcome } from "../../../src/contracts/run.ts";
import { byBytes } from "../../model/byte-order.ts";
import type { RecentWrites } from "../../../src/ledger/quiet.ts";
import {
  countUsers,
  emptyLedger as emptyModel,
  isoTime,
  nextRetry,
  planLedger,
  quietUsers,
  settleLedger,
} from "../../model/ledger-rules.ts";
import type { ClosedRun, Ledger, LedgerPlan, PartFate } from "../../model/ledger-rules.ts";
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
/** Enough to leave at once for the guard to hold them. */
const crowd = Array.from({ length: 130 }, (_, index) => `crowd-${index}`);
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
  desired: fc.oneof({ weight: 4, arbitrary: fc.subarray(ids) }, { weight: 1, arbitrary: fc.constant([]) }),
  withCrowd: fc.boolean(),
  /** The recompute changed nothing: what is compared is then the base with itself. */
  again: fc.boolean(),
  empty: oneIn(6),
  abandoned: oneIn(6),
  resync: oneIn(5),
  guarded: fc.boolean(),
  maxPercent: fc.constantFrom(0, 30, 90, 100),
  /** A person lets go what the run before held. */
  approved: fc.boolean(),
  minutesLater: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 60, max: 3_600 })),
  entered: fateOfPart,
  exited: fateOfPart,
});
type Run = typeof anyRun extends fc.Arbitrary<infer R> ? R : never;

function oneIn(times: number): fc.Arbitrary<boolean> {
  return fc.integer({ min: 1, max: times }).map((dice) => dice === 1);
}

const windowMs = 7 * 60_000;

/** What became of the runs so far, in both worlds. */
interface Story {
  now: number;
  desired: readonly string[];
  model: Ledger;
  ledger: Pick<LedgerRef, "base" | "exceptions">;
  closed: ClosedRun[];
  recent: RecentWrites[];
  held: FileRef | null;
  /** How often each rule had something to say. */
  quiet: number;
  heldBack: number;
  resynced: number;
}

test(
  "the ledger that DuckDB keeps over any runs is the one that the rules give",
  { timeout: 180_000 },
  async () => {
    const seen = { runs: 0, quiet: 0, heldBack: 0, resynced: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(anyRun, { minLength: 1, maxLength: 5 }), async (runs) => {
        const now = Date.parse("2026-05-02T14:32:05.000Z");
        const beginning = { model: emptyModel, ledger: emptyLedger, closed: [], recent: [], held: null };
        let story: Story = { now, desired: [], ...beginning, quiet: 0, heldBack: 0, resynced: 0 };
        for (const [index, run] of runs.entries()) story = await runBoth(index + 1, run, story);
        seen.runs += runs.length;
        for (const rule of ["quiet", "heldBack", "resynced"] as const) seen[rule] += story[rule];
      }),
      { numRuns: 80 },
    );
    expect(seen.runs).toBeGreaterThanOrEqual(80);
    // Rules that nothing ever turned on would not have been compared.
    expect(Math.min(seen.quiet, seen.heldBack, seen.resynced)).toBeGreaterThan(0);
  },
);

async function runBoth(number: number, run: Run, before: Story): Promise<Story> {
  const now = before.now + run.minutesLater * 60_000;
  const at = isoTime(now);
  const members = run.again ? before.desired : [...run.desired, ...(run.withCrowd ? crowd : [])];
  const snapshot = await world.snapshot(members, before.ledger.base);
  const target = run.empty ? "empty" : "snapshot";
  const desired = new Set(run.empty ? [] : members);
  const counts = countUsers(before.model);
  const approvedFile = run.approved ? before.held : null;
  const guard = run.guarded
    ? {
        audience: counts.delivered + counts.unknown,
        members: snapshot.rows,
        maxPercent: run.maxPercent,
        approved: approvedFile ? [approvedFile] : [],
      }
    : undefined;
  const [channel] = await world.ledger.diffChannels({
    folder,
    number,
    snapshot,
    channels: [
      {
        channel: attribute,
        ...before.ledger,
        target,
        batchSize: 75,
        guard,
        recent: before.recent.filter(({ until }) => until > at),
      },
    ],
    at,
    resync: run.resync,
  });
  const approved = new Set((await world.rows(approvedFile)).map((row) => String(row["user_id"])));
  const planned = planLedger(before.model, desired, {
    at,
    quietUntil: quietUsers(before.closed, at, windowMs),
    guard: guard && { ...guard, approved },
    resync: run.resync,
  });
  expect(await diffOf(channel!)).toEqual(sorted(planned));
  const reasons = [...planned.kept.values()].map(({ reason }) => reason);
  const heldUsers = [...planned.kept].filter(([, { reason }]) => reason === "held").map(([id]) => id);
  expect((await world.rows(channel!.held ?? null)).map((row) => row["user_id"])).toEqual(
    heldUsers.sort(byBytes),
  );

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
  const parts = channel!.deltas.flatMap((delta) => delta.parts);
  const written = { until: isoTime(now + windowMs), parts, exceptions: after?.exceptions ?? null };
  return {
    now,
    desired: members,
    model: after === undefined ? emptyModel : settled,
    ledger: after ? { base: after.base, exceptions: after.exceptions } : emptyLedger,
    closed: [...before.closed, { at, plan: planned, ledger: settled }],
    recent: parts.length > 0 ? [...before.recent, written] : before.recent,
    held: channel!.held ?? null,
    quiet: before.quiet + Number(reasons.includes("quiet")),
    heldBack: before.heldBack + Number(reasons.includes("held")),
    resynced: before.resynced + Number(run.resync && moving(planned, "entered").length > 0),
  };
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
