import type { Act, Claim, Played } from "./act.ts";
import { compareMembers, type Comparison } from "./compare.ts";
import { count } from "./story.ts";
import { attribute, connector, type World } from "./world.ts";
import type { BrazeStats } from "../braze/control.ts";

/** One act as it ended. */
interface Ended {
  title: string;
  played: Played;
  comparison: Comparison;
  /** Nothing differs, and everything came true that the act claims. */
  passed: boolean;
}

/** Plays the acts one after the other, tells of each, and sums up in the end. Answers whether all passed. */
export async function playActs(world: World, acts: readonly Act[]): Promise<boolean> {
  const ended: Ended[] = [];
  for (const [index, act] of acts.entries()) {
    const before = await measured(world, ended.at(-1));
    ended.push(await playAct(world, { ...act, title: `${index + 1}. ${act.title}` }, before));
  }
  world.story.title("All acts");
  world.story.table(
    ["act", ...heads],
    ended.map((act) => [act.title, ...cells(act)]),
  );
  return ended.every(({ passed }) => passed);
}

async function playAct(world: World, act: Act, before: Measured): Promise<Ended> {
  const { story } = world;
  const startedMs = Date.now();
  story.title(act.title);
  story.say(act.story);
  const judge = await act.play(world);
  world.waitingFor = "Braze and SegOps to be compared";
  await world.stack.braze.settle(world.brazeKey);
  const comparison = await compare(world);
  const played = await playedSince(world, comparison, before);
  const claims = [...judge(played), ...(await memberClaims(world, comparison, played.rejected > 0))];
  story.claims(claims);
  const ended = { title: act.title, played, comparison, passed: claims.every(({ holds }) => holds) };
  story.table(heads, [cells(ended)]);
  story.say(`(${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  return ended;
}

interface Measured {
  lastRun: number;
  rejected: number;
  stats: BrazeStats | undefined;
}

/** Before the first act there is no workspace yet, and so nothing arrived. */
async function measured(world: World, last: Ended | undefined): Promise<Measured> {
  const runs = await world.runsAfter(0);
  const lastRun = runs.at(-1)?.number ?? 0;
  const rejected = last?.comparison.rejected.length ?? 0;
  return { lastRun, rejected, stats: last ? await world.brazeStats() : undefined };
}

async function playedSince(world: World, { rejected }: Comparison, before: Measured): Promise<Played> {
  const commits = (await world.runsAfter(before.lastRun)).flatMap(({ commit }) => (commit ? [commit] : []));
  const stats = await world.brazeStats();
  const sum = (of: (counts: (typeof commits)[number]["counts"]) => number) =>
    commits.reduce((total, commit) => total + of(commit.counts), 0);
  return {
    entered: sum((counts) => counts.entered),
    exited: sum((counts) => counts.exited),
    rejected: rejected.length - before.rejected,
    outcomes: commits.map(({ outcome }) => outcome),
    requests: requestsIn(stats) - requestsIn(before.stats),
    resent: stats.duplicates - (before.stats?.duplicates ?? 0),
  };
}

function requestsIn(stats: BrazeStats | undefined): number {
  const byStatus = Object.values(stats?.requests ?? {}).flatMap((statuses) => Object.values(statuses));
  return byStatus.reduce((sum, howMany) => sum + howMany, 0);
}

async function compare({ stack, brazeKey, rejectable }: World): Promise<Comparison> {
  const segops = await stack.segops.members(connector.tenant_slug, connector.segment_id);
  return await compareMembers(segops, stack.braze.members(brazeKey, { attribute }), rejectable);
}

/** Braze against SegOps, and the connector's own word against both. */
async function memberClaims(world: World, comparison: Comparison, naming: boolean): Promise<Claim[]> {
  const { same, rejected, differing, examples } = comparison;
  const { channels } = await world.stack.connectors.describe(connector);
  const [ledger] = channels;
  const shown = examples.map(({ userId, what }) => `${JSON.stringify(userId)} ${what}`);
  return [
    {
      says:
        differing === 0
          ? `Braze shows the ${count(same)} members that SegOps names, byte for byte, but for the ${rejected.length} that it rejects${naming ? `: ${named(rejected)}` : ""}`
          : `${count(differing)} users differ between Braze and SegOps: ${shown.join("; ")}`,
      holds: differing === 0,
    },
    {
      says: `the connector says the same: ${count(ledger?.delivered ?? 0)} delivered, ${ledger?.rejected ?? 0} rejected`,
      holds:
        ledger?.delivered === same &&
        ledger.rejected === rejected.length &&
        ledger.unknown === 0 &&
        ledger.waiting === 0,
    },
  ];
}

function named(ids: readonly string[]): string {
  return ids.map((id) => (id.length > 20 ? `one of ${Buffer.byteLength(id)} bytes` : id)).join(", ");
}

const heads = ["entered", "exited", "rejected", "requests", "re-sent", "differing"];

function cells({ played, comparison }: Omit<Ended, "passed">): number[] {
  const { entered, exited, rejected, requests, resent } = played;
  return [entered, exited, rejected, requests, resent, comparison.differing];
}
