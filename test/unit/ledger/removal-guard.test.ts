import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FileRef } from "../../../src/contracts/log.ts";
import { areExitsHeld } from "../../../src/ledger/removal-guard.ts";
import { LedgerRuns, type Ran } from "./ledger-runs.ts";
import { openLedgerWorld } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

let world: LedgerWorld;
let runs: LedgerRuns;
beforeEach(async () => {
  world = await openLedgerWorld();
  runs = new LedgerRuns(world);
});
afterEach(() => world.close());

const guard = {};

/** `u000`, `u001` … in byte order, from one to before another. */
function users(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `u${String(from + index).padStart(3, "0")}`);
}

async function heldIn(ran: Ran): Promise<string[]> {
  return (await world.rows(ran.plan.held ?? null)).map((row) => String(row["user_id"]));
}

function heldFile({ plan }: Ran): FileRef {
  if (!plan.held) throw new Error("nothing was held");
  return plan.held;
}

test.each([
  { exits: 120, audience: 400, members: 280, held: false },
  { exits: 121, audience: 400, members: 279, held: true },
  { exits: 100, audience: 110, members: 10, held: false },
  { exits: 101, audience: 110, members: 9, held: true },
  { exits: 10, audience: 10, members: 0, held: true },
  { exits: 9, audience: 9, members: 0, held: false },
  { exits: 0, audience: 400, members: 0, held: false },
])("$exits exits of $audience with $members members left: held $held", ({ exits, held, ...sizes }) => {
  expect(areExitsHeld(exits, { ...sizes, maxPercent: 30, approved: [] })).toBe(held);
});

test("at 100 percent no share is too large, but nobody empties an audience", () => {
  const generous = { audience: 400, maxPercent: 100, approved: [] };
  expect(areExitsHeld(399, { ...generous, members: 1 })).toBe(false);
  expect(areExitsHeld(400, { ...generous, members: 0 })).toBe(true);
});

describe("the removal guard", () => {
  test("holds exactly the exits; whoever enters goes out", async () => {
    await runs.run({ at: 0, members: users(0, 400) });
    const held = await runs.run({ at: 1, members: [...users(240, 400), "new"], guard });
    expect(held).toMatchObject({ entered: ["new"], exited: [] });
    expect(await heldIn(held)).toEqual(users(0, 240));
    expect(held.exceptions).toEqual(users(0, 240).map((user) => `${user}: held`));
    expect(held.ledger).toMatchObject({
      counts: { delivered: 401, waiting: 240, rejected: 0, unknown: 0 },
      // No timer ends it: a person does.
      retry_at: null,
    });
  });

  test("names the same set by the same bytes, in whatever run it is held", async () => {
    await runs.run({ at: 0, members: users(0, 400) });
    const first = await runs.run({ at: 1, members: users(240, 400), guard });
    const second = await runs.run({ at: 2, members: [...users(240, 400), "new"], guard });
    expect(second.entered).toEqual(["new"]);
    expect(heldFile(second).sha256).toBe(heldFile(first).sha256);
    expect(await world.rows(second.plan.kept)).toEqual(await world.rows(first.plan.kept));
  });

  test("lets go what is approved, and that alone: a larger removal is held anew under another name", async () => {
    await runs.run({ at: 0, members: users(0, 400) });
    const first = await runs.run({ at: 1, members: users(150, 400), guard });
    const larger = await runs.run({ at: 2, members: users(300, 400), guard });
    expect(await heldIn(larger)).toEqual(users(0, 300));
    expect(heldFile(larger).sha256).not.toBe(heldFile(first).sha256);
    const approved = { approved: [heldFile(first)] };
    const after = await runs.run({ at: 3, members: users(300, 400), guard: approved });
    expect(after.exited).toEqual(users(0, 150));
    expect(await heldIn(after)).toEqual(users(150, 300));
  });

  test("does not count what is approved", async () => {
    await runs.run({ at: 0, members: users(0, 400) });
    const held = await runs.run({ at: 1, members: users(150, 400), guard });
    const approved = { approved: [heldFile(held)] };
    // 100 more are within what may leave at once.
    const after = await runs.run({ at: 2, members: users(250, 400), guard: approved });
    expect(after).toMatchObject({ exited: users(0, 250), exceptions: [] });
    expect(after.plan.held).toBeUndefined();
  });

  test("does not take a user who returned, and left again, for the one who was approved", async () => {
    await runs.run({ at: 0, members: users(0, 400) });
    const held = await runs.run({ at: 1, members: users(150, 400), guard });
    await runs.run({ at: 2, members: users(0, 400), guard });
    const again = await runs.run({ at: 3, members: users(150, 400), guard: { approved: [heldFile(held)] } });
    expect(again.exited).toEqual([]);
    expect(await heldIn(again)).toEqual(users(0, 150));
  });

  test("does not count exits again that a run has begun and not sent", async () => {
    await runs.run({ at: 0, members: users(0, 400) });
    const begun = await runs.run({ at: 1, members: users(110, 400), guard, ends: "unsent" });
    expect(begun.exceptions[0]).toBe("u000: not_sent");
    // With those it would be 210 of 400.
    const next = await runs.run({ at: 2, members: users(210, 400), guard });
    expect(next).toMatchObject({ exited: users(0, 210), exceptions: [] });
  });

  test("counts them again where the run that began them was refused and left no trace", async () => {
    await runs.run({ at: 0, members: users(0, 400) });
    await runs.run({ at: 1, members: users(110, 400), guard, ends: "refused" });
    expect(await heldIn(await runs.run({ at: 2, members: users(210, 400), guard }))).toEqual(users(0, 210));
  });

  test("lets held users go who are wanted again, without writing them", async () => {
    await runs.run({ at: 0, members: users(0, 400) });
    await runs.run({ at: 1, members: users(240, 400), guard });
    const back = await runs.run({ at: 2, members: users(0, 400), guard });
    expect(back).toMatchObject({ entered: [], exited: [], exceptions: [] });
  });

  test("holds exits also of members whose entry Braze has not answered: they may be there", async () => {
    await runs.run({ at: 0, members: users(0, 400), ends: "died" });
    const held = await runs.run({ at: 1, members: [], guard });
    expect(held.exited).toEqual([]);
    expect(await heldIn(held)).toEqual(users(0, 400));
    expect(held.ledger).toMatchObject({ counts: { unknown: 400 } });
  });

  test("counts exits that the quiet window would hide: no audience leaves in slices as windows end", async () => {
    await runs.run({ at: 0, members: users(0, 250) });
    await runs.run({ at: 6, members: users(0, 400) });
    // 100 could go now and 40 more at the end of the window.
    const held = await runs.run({ at: 8, members: users(100, 360), windowMinutes: 7, guard });
    expect(await heldIn(held)).toEqual([...users(0, 100), ...users(360, 400)]);
    expect(held.exited).toEqual([]);
  });

  test("has passed whoever then waits for the quiet window: they are neither held nor counted after it", async () => {
    await runs.run({ at: 0, members: users(0, 400) });
    const waits = await runs.run({ at: 6, members: users(110, 400), windowMinutes: 7, guard });
    expect(waits.exceptions[0]).toBe("u000: quiet");
    const after = await runs.run({ at: 7, members: users(210, 400), windowMinutes: 7, guard });
    expect(after).toMatchObject({ exited: users(0, 210), exceptions: [] });
  });

  test("keeps an approval through the quiet window", async () => {
    await runs.run({ at: 0, members: users(0, 400) });
    const held = await runs.run({ at: 1, members: [], guard, windowMinutes: 7 });
    expect(await heldIn(held)).toHaveLength(400);
    const approved = await runs.run({
      at: 2,
      members: [],
      guard: { approved: [heldFile(held)] },
      windowMinutes: 7,
    });
    expect(approved.exceptions[0]).toBe("u000: quiet");
    // The approval is spent by then.
    expect(await runs.run({ at: 7, members: [], guard, windowMinutes: 7 })).toMatchObject({
      exited: users(0, 400),
      exceptions: [],
    });
  });
});
