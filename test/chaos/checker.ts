import { parseChannel, type Direction } from "../../src/contracts/channel.ts";
import type { ChannelEvidence, ConnectorEvidence, Evidence, RunEvidence, WriteEvidence } from "./evidence.ts";

export interface CheckerLimits {
  /** How long after a run's close a write of it may still arrive: a part's time. */
  partMs: number;
  /** What lies between the look at the clock and Braze's on a busy machine. */
  slackMs: number;
  historyEvents: number;
}

/** Everything in a round's evidence that breaks a promise, in words; nothing where all were kept. */
export function findings(evidence: Evidence, limits: CheckerLimits): string[] {
  return [
    ...evidence.crashes,
    ...evidence.connectors.flatMap((connector) =>
      [
        ...unsettled(connector),
        ...connector.channels.flatMap((channel) => differing(channel, evidence)),
        ...wronglyRejected(connector, evidence),
        ...brokenLog(connector),
        ...connector.runs.flatMap(unapproved),
        ...connector.writes.flatMap((write) => misplaced(write, connector.runs, limits)),
        ...tooClose(connector.writes),
        ...aheadOfMembership(connector.writes, evidence),
        ...tooLong(connector, limits),
      ].map((finding) => `${connector.name}: ${finding}`),
    ),
  ];
}

function unsettled({ unsettled: why }: ConnectorEvidence): string[] {
  return why === null ? [] : [`is not at rest: ${why}`];
}

/** Byte for byte: ids are never normalised, so two strings are equal only if their bytes are. */
function differing(
  { channel, desired, shown, rejected, held }: ChannelEvidence,
  { blockedIds, untoldRejections }: Evidence,
): string[] {
  const [wanted, there] = [new Set(desired), new Set(shown)];
  const refused = new Set([...rejected.keys(), ...(untoldRejections > 0 ? blockedIds : [])]);
  const missing = desired.filter((user) => !there.has(user) && !refused.has(user));
  const extra = shown.filter((user) => !wanted.has(user) && !rejected.has(user) && !held.has(user));
  const heldMembers = [...held.keys()].filter((user) => wanted.has(user));
  // A blocked user has no profile that a group could hold, and Braze does not say so.
  const neverThere = new Set(parseChannel(channel).kind === "subscription_group" ? blockedIds : []);
  const gone = [...held].flatMap(([user, state]) =>
    state === "present" && ![there, refused, neverThere].some((known) => known.has(user)) ? [user] : [],
  );
  return [
    ...describe(missing, `missing in Braze, ${channel}`),
    ...describe(extra, `in Braze and not in SegOps, ${channel}`),
    ...describe(heldMembers, `held as if they had left, though SegOps names them, ${channel}`),
    ...describe(gone, `held and yet gone from Braze, ${channel}`),
  ];
}

function describe(users: readonly string[], what: string): string[] {
  if (users.length === 0) return [];
  const examples = users.slice(0, 3).map((user) => JSON.stringify(user.slice(0, 60)));
  return [`${users.length} ${what}: ${examples.join(", ")}`];
}

/** Whom the ledger names must be refused by Braze, or have met an answer that named nobody. */
function wronglyRejected(
  { channels }: ConnectorEvidence,
  { blockedIds, unnamedRejections }: Evidence,
): string[] {
  const blocked = new Set(blockedIds);
  const others = new Set(
    channels.flatMap(({ rejected }) => [...rejected.keys()].filter((user) => !blocked.has(user))),
  );
  return others.size > unnamedRejections
    ? describe([...others], "named as rejected, though Braze takes them")
    : [];
}

/** Every number once and none left out, each plan followed by its commit before the next plan. */
function brokenLog({ logNames, runs }: ConnectorEvidence): string[] {
  const found: string[] = [];
  const last = runs.at(-1)?.number ?? 0;
  const expected = new Set<string>();
  for (let number = 1; number <= last; number++) {
    const run = runs.find((candidate) => candidate.number === number);
    const name = String(number).padStart(12, "0");
    if (run?.closedAtMs == null) found.push(`run ${number} has no commit in the log`);
    if (run?.plannedAtMs != null) expected.add(`${name}.plan.json`);
    expected.add(`${name}.commit.json`);
    const next = runs.find((candidate) => candidate.number === number + 1);
    if (run?.closedAtMs != null && next?.closedAtMs != null && next.closedAtMs < run.closedAtMs) {
      found.push(`run ${number + 1} was closed before run ${number}`);
    }
  }
  const strange = logNames.filter((name) => !expected.has(name));
  return [...found, ...describe(strange, "in the log's folder that are no entries of its runs")];
}

/** What is held goes out with a person's approval of that very set, or because few enough are left that nobody need be asked. */
function unapproved({ number, releases }: RunEvidence): string[] {
  return releases.flatMap(({ channel, released, approved, most }) => {
    const unasked = released.filter((user) => !approved.has(user));
    return unasked.length > most
      ? describe(unasked, `held and let go by run ${number} without approval, ${channel}`)
      : [];
  });
}

/** Every write is the newest plan's that names its user, and in time. */
function misplaced(
  write: WriteEvidence,
  runs: readonly RunEvidence[],
  { partMs, slackMs }: CheckerLimits,
): string[] {
  const { channel, user, direction, acceptedAtMs } = write;
  const planned = runs.filter((run) => run.plannedAtMs !== null && run.plannedAtMs <= acceptedAtMs);
  const newest = planned.findLast((run) => run.moves.get(channel)?.has(user));
  const who = `${JSON.stringify(user.slice(0, 60))} ${direction} in ${channel}`;
  if (!newest) return [`${who} was written, and no plan says so`];
  if (newest.moves.get(channel)?.get(user) !== direction) {
    const older = planned.findLast((run) => run.moves.get(channel)?.get(user) === direction);
    return [
      `${who} was written after the plan of run ${newest.number} said otherwise (run ${older?.number ?? "?"}'s value)`,
    ];
  }
  const lateMs = newest.closedAtMs === null ? 0 : acceptedAtMs - newest.closedAtMs - partMs - slackMs;
  return lateMs > 0 ? [`${who} was written ${lateMs} ms after the last moment of run ${newest.number}`] : [];
}

/** Braze applies in any order: an opposite write must wait until the one before is applied. */
function tooClose(writes: readonly WriteEvidence[]): string[] {
  const last = new Map<string, WriteEvidence>();
  const found: string[] = [];
  for (const write of writes) {
    const key = JSON.stringify([write.channel, write.user]);
    const before = last.get(key);
    last.set(key, write);
    if (!before || before.direction === write.direction) continue;
    if (before.appliedAtMs === null || before.appliedAtMs > write.acceptedAtMs) {
      found.push(
        `${JSON.stringify(write.user.slice(0, 60))} was written ${opposite(before.direction, write.direction)} while the write before was not applied`,
      );
    }
  }
  return found;
}

/** A subscription carries consent: nobody is subscribed whom no attribute shows as a member yet. */
function aheadOfMembership(writes: readonly WriteEvidence[], { blockedIds }: Evidence): string[] {
  const blocked = new Set(blockedIds);
  const shown = new Map<string, Set<string>>();
  const found: string[] = [];
  for (const { channel, user, direction } of writes) {
    const channels = shown.get(user) ?? new Set();
    shown.set(user, channels);
    if (parseChannel(channel).kind === "attribute") {
      if (direction === "entered") channels.add(channel);
      else channels.delete(channel);
    } else if (direction === "entered" && channels.size === 0 && !blocked.has(user)) {
      found.push(
        `${JSON.stringify(user.slice(0, 60))} was subscribed before any attribute showed it as a member`,
      );
    }
  }
  return found;
}

function opposite(before: Direction, after: Direction): string {
  return `${after} after ${before}`;
}

function tooLong({ historyEvents }: ConnectorEvidence, limits: CheckerLimits): string[] {
  return historyEvents > limits.historyEvents
    ? [`its history has ${historyEvents} events, over ${limits.historyEvents}`]
    : [];
}
