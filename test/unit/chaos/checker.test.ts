import { expect, test } from "vitest";
import type { Direction } from "../../../src/contracts/channel.ts";
import { findings } from "../../chaos/checker.ts";
import type {
  ChannelEvidence,
  ConnectorEvidence,
  Evidence,
  RunEvidence,
  WriteEvidence,
} from "../../chaos/evidence.ts";

const limits = { partMs: 3_000, slackMs: 500, historyEvents: 1_000 };
const channel = "attribute:segment";

function run(
  number: number,
  plannedAtMs: number | null,
  closedAtMs: number | null,
  moves: [string, Direction][] = [],
): RunEvidence {
  return { number, plannedAtMs, closedAtMs, moves: new Map([[channel, new Map(moves)]]), releases: [] };
}

function write(
  user: string,
  direction: Direction,
  acceptedAtMs: number,
  appliedAtMs: number | null = acceptedAtMs + 100,
): WriteEvidence {
  return { channel, user, direction, acceptedAtMs, appliedAtMs };
}

/** Ann enters with run 1; run 2 had nothing to do; she leaves with run 3, in which Bob enters. Carl is blocked. */
function clean(): ConnectorEvidence {
  return {
    name: "braze/acme/1",
    unsettled: null,
    historyEvents: 200,
    logNames: [
      "000000000001.commit.json",
      "000000000001.plan.json",
      "000000000002.commit.json",
      "000000000003.commit.json",
      "000000000003.plan.json",
    ],
    runs: [
      run(1, 1_000, 2_000, [["ann", "entered"]]),
      run(2, null, 3_000),
      run(3, 10_000, 11_000, [
        ["ann", "exited"],
        ["bob", "entered"],
      ]),
    ],
    channels: [
      {
        channel,
        desired: ["bob", "carl"],
        shown: ["bob"],
        rejected: new Map([["carl", "braze_user_blocked"]]),
        held: new Map(),
      },
    ],
    writes: [write("ann", "entered", 1_500), write("ann", "exited", 10_500), write("bob", "entered", 10_600)],
  };
}

/** One channel of the connector, whatever is not said of it being empty. */
function inChannel(change: Partial<ChannelEvidence>): { channels: ChannelEvidence[] } {
  const empty = { desired: [], shown: [], rejected: new Map(), held: new Map() };
  return { channels: [{ channel, ...empty, ...change }] };
}

function judge(change: Partial<ConnectorEvidence> = {}, around: Partial<Evidence> = {}): string[] {
  const connectors = [{ ...clean(), ...change }];
  return findings(
    { connectors, blockedIds: ["carl"], unnamedRejections: 0, untoldRejections: 0, crashes: [], ...around },
    limits,
  );
}

test("a round in which every promise was kept has no findings", () => {
  expect(judge()).toEqual([]);
});

test.for<[string, Partial<ConnectorEvidence>, RegExp]>([
  ["a member whom Braze does not show", inChannel({ desired: ["bob"] }), /1 missing in Braze.*"bob"/],
  ["somebody in Braze who is no member", inChannel({ shown: ["bob"] }), /1 in Braze and not in SegOps/],
  [
    "a rejected user whom Braze does not refuse",
    inChannel({ desired: ["bob"], rejected: new Map([["bob", "braze_user_rejected"]]) }),
    /named as rejected/,
  ],
  ["a connector that does not come to rest", { unsettled: "1 unknown" }, /not at rest: 1 unknown/],
  ["a history that grows", { historyEvents: 1_001 }, /1001 events/],
])("%s is found", ([, change, words]) => {
  expect(judge(change)).toEqual([expect.stringMatching(words)]);
});

test("an id that differs in its bytes alone is found, as missing and as too many", () => {
  const differing = inChannel({ desired: ["\u00e9"], shown: ["e\u0301"] });
  expect(judge(differing)).toEqual([
    expect.stringMatching(/1 missing in Braze/),
    expect.stringMatching(/1 in Braze and not in SegOps/),
  ]);
});

test("a blocked user whom the ledger does not name is found, unless an answer could not have told of them", () => {
  const untold = inChannel({ desired: ["bob", "carl"], shown: ["bob"] });
  expect(judge(untold)).toEqual([expect.stringMatching(/1 missing in Braze.*"carl"/)]);
  expect(judge(untold, { untoldRejections: 1 })).toEqual([]);
});

test("a plan without a commit is found", () => {
  const { runs, logNames } = clean();
  const open = runs.with(0, run(1, 1_000, null, [["ann", "entered"]]));
  const names = logNames.filter((name) => name !== "000000000001.commit.json");
  expect(judge({ runs: open, logNames: names })).toEqual([expect.stringMatching(/run 1 has no commit/)]);
});

test("a number that the log left out is found", () => {
  const { runs, logNames } = clean();
  const names = logNames.filter((name) => !name.startsWith("000000000002"));
  const holed = runs.filter(({ number }) => number !== 2);
  expect(judge({ runs: holed, logNames: names })).toEqual([expect.stringMatching(/run 2 has no commit/)]);
});

test("an entry of the log that belongs to no run is found", () => {
  const { logNames } = clean();
  expect(judge({ logNames: [...logNames, "000000000009.plan.json"] })).toEqual([
    expect.stringMatching(/000000000009\.plan/),
  ]);
});

test("a write of the older value after the newer plan is found, although the last write set it right", () => {
  const writes = [
    write("ann", "entered", 1_500),
    write("ann", "entered", 10_200),
    write("ann", "exited", 10_500),
    write("bob", "entered", 10_600),
  ];
  expect(judge({ writes })).toEqual([
    expect.stringMatching(/"ann" entered .* run 3 said otherwise \(run 1's value\)/),
  ]);
});

test("a write later than the run's deadline is found, and one within it is none", () => {
  const { writes } = clean();
  expect(judge({ writes: [...writes, write("bob", "entered", 14_400)] })).toEqual([]);
  expect(judge({ writes: [...writes, write("bob", "entered", 14_900)] })).toEqual([
    expect.stringMatching(/400 ms after the last moment of run 3/),
  ]);
});

test("a write that no plan names is found", () => {
  expect(judge({ writes: [...clean().writes, write("dora", "exited", 10_700)] })).toEqual([
    expect.stringMatching(/"dora" .* no plan/),
  ]);
});

test("an opposite write before Braze applied the one before is found", () => {
  const writes = [
    write("ann", "entered", 1_500, 10_501),
    write("ann", "exited", 10_500),
    write("bob", "entered", 10_600),
  ];
  expect(judge({ writes })).toEqual([expect.stringMatching(/exited after entered/)]);
});

test("a subscription that runs ahead of the membership is found, and one that follows it is none", () => {
  const group = "subscription_group:news";
  const moves = new Map([
    [channel, new Map([["bob", "entered" as const]])],
    [group, new Map([["bob", "entered" as const]])],
  ]);
  const runs = [...clean().runs.slice(0, 2), { ...run(3, 10_000, 11_000), moves }];
  const [member, subscriber] = [
    write("bob", "entered", 10_600),
    { ...write("bob", "entered", 10_500), channel: group },
  ];
  expect(judge({ runs, writes: [member, { ...subscriber, acceptedAtMs: 10_700 }] })).toEqual([]);
  expect(judge({ runs, writes: [subscriber, member] })).toEqual([
    expect.stringMatching(/"bob" was subscribed before/),
  ]);
});

test("a worker that ended by itself is found", () => {
  expect(judge({}, { crashes: ["a worker ended by itself"] })).toEqual(["a worker ended by itself"]);
});

test("one rejection without a name is forgiven for each answer that named nobody, and no more", () => {
  const unnamed = (users: string[]) =>
    inChannel({
      desired: users,
      rejected: new Map(users.map((user) => [user, "braze_user_rejected"])),
    });
  expect(judge(unnamed(["bob"]), { unnamedRejections: 1 })).toEqual([]);
  expect(judge(unnamed(["bob", "dora"]), { unnamedRejections: 1 })).toHaveLength(1);
});

test("who left and is still in Braze is forgiven only where the ledger says that the exit is held", () => {
  const shown = ["bob", "dora"];
  const held = new Map([["dora", "present"]]);
  expect(judge(inChannel({ desired: ["bob"], shown, held }))).toEqual([]);
  expect(judge(inChannel({ desired: [], shown, held }))).toEqual([
    expect.stringMatching(/1 in Braze and not in SegOps.*"bob"/),
  ]);
});

test("a held exit that went out all the same is found, unless nobody knew what Braze had", () => {
  const gone = (state: string) => inChannel({ held: new Map([["dora", state]]) });
  expect(judge(gone("present"))).toEqual([expect.stringMatching(/1 held and yet gone.*"dora"/)]);
  expect(judge(gone("unknown"))).toEqual([]);
});

test("a blocked user whose exit is held may be gone, as an answer that told of no rejections has it", () => {
  const gone = inChannel({ held: new Map([["carl", "present"]]) });
  expect(judge(gone)).toEqual([expect.stringMatching(/1 held and yet gone.*"carl"/)]);
  expect(judge(gone, { untoldRejections: 1 })).toEqual([]);
});

test("a blocked user may be held in a group that never had it, in an attribute not", () => {
  const held = new Map([["carl", "present"]]);
  const group = "subscription_group:00000000-0000-4000-8001-000000000001";
  expect(judge(inChannel({ channel: group, held }))).toEqual([]);
  expect(judge(inChannel({ held }))).toEqual([expect.stringMatching(/1 held and yet gone.*"carl"/)]);
});

test("a member whose exit is held is found", () => {
  const held = new Map([["bob", "present"]]);
  expect(judge(inChannel({ desired: ["bob"], shown: ["bob"], held }))).toEqual([
    expect.stringMatching(/1 held as if they had left.*"bob"/),
  ]);
});

test("held exits that go out without approval are found where they are more than the guard lets go", () => {
  const { runs } = clean();
  const released = ["ann", "dora", "emil"];
  const letting = (approved: string[], most: number) =>
    runs.map((each) =>
      each.number === 3
        ? { ...each, releases: [{ channel, released, approved: new Set(approved), most }] }
        : each,
    );
  expect(judge({ runs: letting(["ann"], 1) })).toEqual([
    expect.stringMatching(/2 held and let go by run 3 without approval.*"dora", "emil"/),
  ]);
  expect(judge({ runs: letting(["ann"], 2) })).toEqual([]);
  expect(judge({ runs: letting(released, 0) })).toEqual([]);
});
