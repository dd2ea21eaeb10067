import type { Direction } from "../contracts/channel.ts";
import type { ConnectorKey } from "../contracts/connector-id.ts";
import { CodedError } from "../contracts/errors.ts";
import type {
  Became,
  ExplainedChannel,
  ExplainedRun,
  ExplainOptions,
  Explanation,
  UserState,
} from "../contracts/explain.ts";
import type { ChannelPlan, Commit, FileRef, LedgerRef, Plan } from "../contracts/log.ts";
import { createUserFinder } from "./find-user.ts";
import type { UserFinder, UserRow } from "./find-user.ts";
import type { LedgerDeps } from "./ledger-deps.ts";
import type { ConnectorLog, LoggedRun } from "./log.ts";
import { hasWritten } from "./recent-writes.ts";

/** Of failed runs in a row, so many are passed over in search of the newest membership. */
const runsLookedBack = 100;

/**
 * What the log knows of one user, the id taken byte for byte. Reads only. Throws `connector_not_found` where there is no such log,
 * and `ledger_missing` where a file that the newest commit names is not there, or any other is not whole; an older file that is
 * gone was cleaned up, and its run says so.
 */
export async function explainUser(
  deps: LedgerDeps,
  log: ConnectorLog,
  key: ConnectorKey,
  userId: string,
  { limit, before }: ExplainOptions,
): Promise<Explanation> {
  if (!(await log.latestConfig())) throw new CodedError("connector_not_found");
  const user = createUserFinder(deps, userId);
  const runs = await log.runs({ limit, before });
  const explained: ExplainedRun[] = [];
  const now = await explainNow(deps, user, log);
  for (const run of runs) explained.push(await explainRun(user, run));
  const oldest = runs.at(-1)?.number ?? 1;
  return {
    tenant_slug: key.tenant_slug,
    segment: key.segment_id,
    now,
    runs: explained,
    next_before: oldest > 1 ? oldest : null,
  };
}

async function explainNow(
  deps: LedgerDeps,
  user: UserFinder,
  log: ConnectorLog,
): Promise<Explanation["now"]> {
  const end = await log.end();
  const newest = end.commit ?? (await log.commitBefore(end.lastNumber));
  const { desired, computed_at } = await newestMembership(user, log, newest);
  const channels: Explanation["now"]["channels"] = [];
  for (const ledger of newest?.channels ?? []) {
    const state = await stateIn(user, ledger);
    if (state === "gone") throw await missingFile(deps, ledger);
    channels.push({ channel: ledger.channel, ...state });
  }
  return { run: newest?.number ?? null, desired, computed_at, channels };
}

/** The newest that a run has compared with the ledger, whether or not it could deliver it. */
async function newestMembership(
  user: UserFinder,
  log: ConnectorLog,
  newest: Commit | undefined,
): Promise<{ desired: boolean | null; computed_at: string | null }> {
  for (const run of await log.runs({ limit: runsLookedBack })) {
    const compared = comparedMembership(run);
    const member = compared && (await isMember(user, compared.snapshot));
    if (!compared || typeof member !== "boolean") continue;
    return { desired: member, computed_at: compared.computedAt };
  }
  const base = newest?.channels[0]?.base ?? null;
  const member = base && (await isMember(user, base));
  return { desired: member === "gone" ? null : member, computed_at: null };
}

/** The membership of a run that came so far as to compare it; null snapshot: nobody is a member, the connector is being removed. */
function comparedMembership({
  plan,
  commit,
}: LoggedRun): { snapshot: FileRef | null; computedAt: string | null } | undefined {
  if (plan && plan.channels.length > 0) {
    return { snapshot: plan.snapshot, computedAt: plan.recompute?.computed_at ?? null };
  }
  // Without a plan, the membership was the very set that the ledger stands on.
  const base = commit?.channels.find((ledger) => ledger.base !== null)?.base;
  if (!commit?.recompute || commit.error || !base) return undefined;
  return { snapshot: base, computedAt: commit.recompute.computed_at };
}

async function isMember(user: UserFinder, snapshot: FileRef | null): Promise<boolean | "gone"> {
  if (snapshot === null) return false;
  const row = await user.find([snapshot]);
  return row === "gone" ? row : row !== undefined;
}

async function explainRun(user: UserFinder, run: LoggedRun): Promise<ExplainedRun> {
  const { number, plan, commit } = run;
  const compared = comparedMembership(run);
  const member = compared ? await isMember(user, compared.snapshot) : null;
  const channels: ExplainedChannel[] = [];
  let whole = member !== "gone";
  for (const channel of channelsOf(plan, commit)) {
    const explained = await explainChannel(user, run, channel);
    whole &&= explained.isWhole;
    channels.push(explained.channel);
  }
  return {
    number,
    outcome: commit?.outcome ?? null,
    error_code: commit?.error?.code ?? null,
    started_at: commit?.started_at ?? plan?.at ?? "",
    finished_at: commit?.at ?? null,
    computed_at: (commit ?? plan)?.recompute?.computed_at ?? null,
    member: member === "gone" ? null : member,
    files: whole ? "whole" : "files_cleaned_up",
    channels,
  };
}

function channelsOf(plan: Plan | undefined, commit: Commit | undefined): string[] {
  const named = [...(plan?.channels ?? []), ...(commit?.channels ?? [])];
  return [...new Set(named.map(({ channel }) => channel))];
}

async function explainChannel(
  user: UserFinder,
  { plan, commit }: LoggedRun,
  channel: string,
): Promise<{ channel: ExplainedChannel; isWhole: boolean }> {
  const intended = plan?.channels.find((each) => each.channel === channel);
  const planned = intended ? await plannedFor(user, intended) : null;
  const ledger = commit?.channels.find((each) => each.channel === channel);
  const after = !commit ? null : ledger ? await stateIn(user, ledger) : absent;
  const isKnown = planned !== "gone" && after !== "gone";
  const fate = isKnown ? became(planned, after, commit) : nothing;
  return {
    channel: {
      channel,
      planned: planned === "gone" || planned?.kind !== "moves" ? null : planned.direction,
      ...fate,
      after: after === "gone" ? null : after,
    },
    isWhole: isKnown,
  };
}

/** A user moves, or is an exception that the run leaves alone, or neither (null). */
type Planned = { kind: "moves"; direction: Direction } | { kind: "kept"; reason: string } | null;

async function plannedFor(user: UserFinder, { deltas, kept }: ChannelPlan): Promise<Planned | "gone"> {
  for (const { direction, parts } of deltas) {
    const row = await user.find(parts);
    if (row === "gone") return row;
    if (row) return { kind: "moves", direction };
  }
  const row = kept && (await user.find([kept]));
  if (row === "gone" || !row) return row || null;
  return { kind: "kept", reason: String(row["reason"]) };
}

const absent: UserState = { state: "absent", reason: null, since: null, attempts: 0, retry_at: null };

/** The exception if there is one, otherwise what the base says. */
async function stateIn(
  user: UserFinder,
  { base, exceptions }: Pick<LedgerRef, "base" | "exceptions">,
): Promise<UserState | "gone"> {
  const exception = exceptions && (await user.find([exceptions]));
  if (exception === "gone") return exception;
  if (exception) return stateOfException(exception);
  const member = base ? await isMember(user, base) : false;
  if (member === "gone") return member;
  return member ? { ...absent, state: "present" } : absent;
}

function stateOfException(row: NonNullable<UserRow>): UserState {
  const text = (name: string) => (typeof row[name] === "string" ? row[name] : null);
  const state = text("state");
  return {
    state: state === "present" || state === "absent" ? state : "unknown",
    reason: text("reason"),
    since: text("since"),
    attempts: Number(row["attempts"] ?? 0),
    retry_at: text("retry_at"),
  };
}

interface Fate {
  became: Became;
  reason: string | null;
}
const nothing: Fate = { became: null, reason: null };

function became(planned: Planned, after: UserState | null, commit: Commit | undefined): Fate {
  if (planned === null) return nothing;
  if (planned.kind === "kept") return fateOfException(planned.reason);
  if (!commit) return { became: "in_progress", reason: null };
  // Such a run leaves the ledger as it was: what the ledger says of the user is older than the run.
  if (!hasWritten(commit)) return { became: "not_sent", reason: commit.error?.code ?? null };
  return after?.reason ? fateOfException(after.reason) : { became: "settled", reason: null };
}

function fateOfException(reason: string): Fate {
  switch (reason) {
    case "unanswered":
    case "abandoned":
      return { became: "unknown", reason };
    case "quiet":
    case "held":
    case "not_sent":
      return { became: reason, reason };
    default:
      return { became: "rejected", reason };
  }
}

async function missingFile({ files }: LedgerDeps, { exceptions, base }: LedgerRef): Promise<CodedError> {
  const isGone = exceptions && !(await files.isThere(exceptions));
  return new CodedError("ledger_missing", (isGone ? exceptions : base)?.key);
}
