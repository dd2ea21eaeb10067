import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { explanationSchema } from "../../../src/contracts/explain.ts";
import type { ExplainedRun, Explanation } from "../../../src/contracts/explain.ts";
import type { FileRef } from "../../../src/contracts/log.ts";
import { LedgerRuns, minute } from "./ledger-runs.ts";
import { attribute, oddIds, openLedgerWorld, writeFirstConfig } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

const key = { tenant_slug: "acme", segment_id: 7 };
const crowd = Array.from({ length: 12 }, (_, index) => `u${String(index).padStart(2, "0")}`);

let world: LedgerWorld;
let runs: LedgerRuns;
beforeEach(async () => {
  world = await openLedgerWorld();
  await writeFirstConfig(world);
  runs = new LedgerRuns(world);
});
afterEach(() => world.close());

async function explain(userId: string, options = {}): Promise<Explanation> {
  const told = await world.ledger.explain(key, userId, { limit: 20, ...options });
  expect(explanationSchema.parse(told)).toEqual(told);
  return told;
}

/** `planned > became (reason) > state afterwards`, of the one channel. */
function story({ channels: [only] }: ExplainedRun): string {
  const { planned, became, reason, after } = only!;
  return `${planned ?? "-"} > ${became ?? "-"}${reason ? ` (${reason})` : ""} > ${after?.state ?? "-"}`;
}

function stateNow({ now }: Explanation): unknown[] {
  return [now.desired, ...now.channels.map(({ state, reason }) => [state, reason])];
}

const present = { state: "present", reason: null, since: null, attempts: 0, retry_at: null };

test("a user who entered is told as a member, settled, and present since", async () => {
  await runs.run({ at: 0, members: ["ann"] });
  await runs.run({ at: 10, members: ["ann", "bob"] });
  const told = await explain("ann");
  expect(told.runs.map(({ number, member }) => [number, member])).toEqual([
    [2, true],
    [1, true],
  ]);
  expect(told.runs.map(story)).toEqual(["- > - > present", "entered > settled > present"]);
  expect(told.now).toEqual({
    run: 2,
    desired: true,
    computed_at: null,
    channels: [{ channel: attribute, ...present }],
  });
  expect(told.next_before).toBeNull();
});

test("a rejected user is told with the code, the attempts and when it is tried again", async () => {
  const rejects = { count: 1, inline: { braze_user_rejected: [1] }, file: null };
  const progress = { cursor: 2, attempted: 2, rejects, requests: 1, resent: 0 };
  await runs.run({ at: 0, members: ["ann", "bob"], ends: { reported: true, progress } });
  await runs.run({ at: 10, members: ["ann", "bob"] });
  const told = await explain("bob");
  expect(told.runs.map(story)).toEqual([
    "- > rejected (braze_user_rejected) > absent",
    "entered > rejected (braze_user_rejected) > absent",
  ]);
  expect(told.now.channels).toEqual([
    {
      channel: attribute,
      state: "absent",
      reason: "braze_user_rejected",
      since: minute(0),
      attempts: 1,
      retry_at: minute(24 * 60),
    },
  ]);
  expect((await explain("ann")).runs.map(story)).toEqual(["- > - > present", "entered > settled > present"]);
});

test("a user who flaps within the quiet window is told to wait, and until when", async () => {
  await runs.run({ at: 0, members: ["ann", "bob"], windowMinutes: 7 });
  await runs.run({ at: 2, members: ["ann"], windowMinutes: 7 });
  const told = await explain("bob");
  expect(told.runs.map(story)).toEqual(["- > quiet (quiet) > present", "entered > settled > present"]);
  expect(told.runs.map(({ member }) => member)).toEqual([false, true]);
  expect(told.now).toMatchObject({ desired: false, channels: [{ state: "present", retry_at: minute(7) }] });
  await runs.run({ at: 8, members: ["ann"], windowMinutes: 7 });
  expect(story((await explain("bob")).runs[0]!)).toBe("exited > settled > absent");
});

test("a held exit is told as held, and as settled once a person approved it", async () => {
  await runs.run({ at: 0, members: crowd });
  const held = await runs.run({ at: 10, members: [], guard: {} });
  expect(stateNow(await explain("u03"))).toEqual([false, ["present", "held"]]);
  await runs.run({ at: 20, members: [], guard: { approved: [held.plan.held!] } });
  const told = await explain("u03");
  expect(told.runs.map(story)).toEqual([
    "exited > settled > absent",
    "- > held (held) > present",
    "entered > settled > present",
  ]);
});

test("a run that died leaves the user unknown, one that sent nothing leaves it as it was", async () => {
  await runs.run({ at: 0, members: ["ann"], ends: "died" });
  expect((await explain("ann")).runs.map(story)).toEqual(["entered > unknown (abandoned) > unknown"]);
  await runs.run({ at: 10, members: ["ann"], ends: "refused" });
  const told = await explain("ann");
  expect(story(told.runs[0]!)).toBe("entered > not_sent > unknown");
  expect(stateNow(told)).toEqual([true, ["unknown", "abandoned"]]);
});

test("a user whom nobody has ever seen is desired by nobody and absent everywhere", async () => {
  await runs.run({ at: 0, members: ["ann"] });
  const told = await explain("carol");
  expect(stateNow(told)).toEqual([false, ["absent", null]]);
  expect(told.runs.map(({ member }) => member)).toEqual([false]);
  expect(told.runs.map(story)).toEqual(["- > - > absent"]);
});

test("before the first run there is nothing to tell, and without a connector it is connector_not_found", async () => {
  expect(await explain("ann")).toMatchObject({
    now: { run: null, desired: null, channels: [] },
    runs: [],
    next_before: null,
  });
  const nowhere = { tenant_slug: "acme", segment_id: 8 };
  const asked = world.ledger.explain(nowhere, "ann", { limit: 1 });
  await expect(asked).rejects.toMatchObject({ code: "connector_not_found" });
});

test("runs are told newest first, as many as asked for, and the rest from where it stopped", async () => {
  for (const at of [0, 10, 20, 30]) await runs.run({ at, members: ["ann"] });
  const first = await explain("ann", { limit: 3 });
  expect(first.runs.map(({ number }) => number)).toEqual([4, 3, 2]);
  const rest = await explain("ann", { limit: 3, before: first.next_before });
  expect(rest.runs.map(({ number }) => number)).toEqual([1]);
  expect(rest.next_before).toBeNull();
});

test("an id is found byte for byte, whatever is in it, and never another one like it", async () => {
  await runs.run({ at: 0, members: oddIds });
  for (const id of oddIds) {
    expect([id, stateNow(await explain(id))]).toEqual([id, [true, ["present", null]]]);
  }
  for (const id of ["CASE", " spaces", "marked", "\uD83D", "a", ""]) {
    expect([id, stateNow(await explain(id))]).toEqual([id, [false, ["absent", null]]]);
  }
});

test("an old run whose files were cleaned up says so, and the rest of the timeline stays", async () => {
  const first = await runs.run({ at: 0, members: ["ann", "bob"] });
  await runs.run({ at: 10, members: ["ann"] });
  await remove(first.plan.deltas[0]!.parts[0]!);
  await remove(first.ledger!.base!);
  const told = await explain("bob");
  expect(told.runs.map(({ files, member }) => [files, member])).toEqual([
    ["whole", false],
    ["files_cleaned_up", null],
  ]);
  expect(told.runs.map(story)).toEqual(["exited > settled > absent", "- > - > -"]);
});

test("a file that the newest commit still names is ledger_missing, never an empty one", async () => {
  const { ledger } = await runs.run({ at: 0, members: ["ann"] });
  await remove(ledger!.base!);
  await expect(explain("ann")).rejects.toMatchObject({ code: "ledger_missing", detail: ledger!.base!.key });
});

async function remove({ key: name }: FileRef): Promise<void> {
  await rm(join(world.root, name));
}
