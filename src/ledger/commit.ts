import type { FileRef, LedgerRef, Plan } from "../contracts/log.ts";
import type { PartOutcome } from "../contracts/run.ts";
import type { Session } from "./duckdb.ts";
import { comparableTime, exceptionColumns, isRejectedSql, publishExceptions } from "./exceptions.ts";
import type { LedgerDeps } from "./ledger-deps.ts";
import { addUnsettled } from "./part-fate.ts";
import type { PartFate, UnsettledPart } from "./part-fate.ts";
import { readRejects } from "./rejects.ts";
import { parquet } from "./sql.ts";

/** What a ledger is settled from: a plan as it was written, or as it would have been. */
type SettledPlan = Pick<Plan, "snapshot" | "channels" | "config_number">;
type ChannelPlan = Plan["channels"][number];

export interface AbandonInput {
  /** The connector's folder in storage. */
  folder: string;
  number: number;
  plan: SettledPlan;
  restEndpoint: string;
  /** ISO 8601, the workflow's clock. */
  at: string;
  signal?: AbortSignal | undefined;
}

export interface SettleInput extends AbandonInput {
  /** What became of each part that was started. Of those not listed nothing was sent. */
  parts: readonly PartOutcome[];
}

/**
 * The ledger of each channel after a run: its base is what the run was to deliver, its exceptions whoever was not settled.
 * A channel of which nothing is left is not answered. Throws `ledger_missing` where a file it needs is not whole.
 */
export async function settleLedger(deps: LedgerDeps, input: SettleInput): Promise<LedgerRef[]> {
  return settleChannels(deps, input, async (channel, direction, part, ref) => {
    const outcome = input.parts.findLast(
      (each) => each.channel === channel && each.direction === direction && each.part === part,
    );
    if (!outcome) return { kind: "whole", state: "former", reason: "not_sent" };
    const { progress, reported } = outcome;
    if (progress.cursor >= ref.rows && progress.rejects.count === 0) return undefined;
    const attemptedTo = reported ? progress.attempted : ref.rows;
    return { kind: "progress", progress, attemptedTo, rejects: await readRejects(deps, progress.rejects) };
  });
}

/** The ledger after a run that died without a word: whatever it had planned may have been sent. */
export async function abandonRun(deps: LedgerDeps, input: AbandonInput): Promise<LedgerRef[]> {
  return settleChannels(deps, input, async () => ({ kind: "whole", state: "unknown", reason: "abandoned" }));
}

/** Answers what became of a part; undefined: every user of it is settled and none was rejected. */
type FateOf = (
  channel: string,
  direction: UnsettledPart["direction"],
  part: number,
  ref: FileRef,
) => Promise<PartFate | undefined>;

async function settleChannels(deps: LedgerDeps, input: AbandonInput, fateOf: FateOf): Promise<LedgerRef[]> {
  const ledgers = [];
  for (const plan of input.plan.channels) ledgers.push(await settleChannel(deps, input, plan, fateOf));
  return ledgers.filter((ledger) => ledger !== undefined);
}

async function settleChannel(
  deps: LedgerDeps,
  input: AbandonInput,
  plan: ChannelPlan,
  fateOf: FateOf,
): Promise<LedgerRef | undefined> {
  const base = plan.target === "snapshot" ? input.plan.snapshot : null;
  const { config_number } = input.plan;
  const head = { channel: plan.channel, rest_endpoint: input.restEndpoint, config_number, base };
  const unsettled = await unsettledParts(plan, fateOf);
  if (unsettled.length === 0 && plan.kept === null) {
    if (base === null) return undefined;
    const counts = { delivered: base.rows, rejected: 0, unknown: 0, waiting: 0 };
    return { ...head, exceptions: null, counts, retry_at: null };
  }
  const refs = [base, plan.kept].filter((ref) => ref !== null);
  return deps.files.use([...refs, ...unsettled.map(({ ref }) => ref)], (paths) =>
    deps.duckdb.use(async (session) => {
      const [basePath, keptPath] = [base, plan.kept].map((ref) => ref && (paths[refs.indexOf(ref)] ?? null));
      await gatherExceptions(session, keptPath ?? null, unsettled, paths.slice(refs.length), input.at);
      const { folder, number } = input;
      const table = "exceptions";
      const exceptions = await publishExceptions(deps, session, { folder, number, table, same: plan.kept });
      if (base === null && exceptions === null) return undefined;
      return { ...head, exceptions, ...(await countUsers(session, base, basePath ?? null)) };
    }, input.signal),
  );
}

async function unsettledParts(plan: ChannelPlan, fateOf: FateOf): Promise<UnsettledPart[]> {
  const unsettled: UnsettledPart[] = [];
  for (const { direction, parts } of plan.deltas) {
    for (const [part, ref] of parts.entries()) {
      const fate = await fateOf(plan.channel, direction, part, ref);
      if (fate) unsettled.push({ direction, ref, fate });
    }
  }
  return unsettled;
}

async function gatherExceptions(
  session: Session,
  keptPath: string | null,
  unsettled: readonly UnsettledPart[],
  paths: readonly string[],
  at: string,
): Promise<void> {
  await session.run(`CREATE TEMP TABLE exceptions (${exceptionColumns})`);
  if (keptPath !== null) await session.run(`INSERT INTO exceptions SELECT * FROM ${parquet([keptPath])}`);
  for (const [index, part] of unsettled.entries()) {
    await addUnsettled(session, part, paths[index] ?? "", comparableTime(at));
  }
}

async function countUsers(
  session: Session,
  base: FileRef | null,
  basePath: string | null,
): Promise<Pick<LedgerRef, "counts" | "retry_at">> {
  const inBase =
    basePath === null
      ? "false"
      : `user_id IN (SELECT user_id FROM ${parquet([basePath])} SEMI JOIN exceptions USING (user_id))`;
  const [rejected, unknown, waiting, lost, extra, retryAt] = await session.row(`
    SELECT count(*) FILTER (${isRejectedSql}),
      count(*) FILTER (NOT ${isRejectedSql} AND state = 'unknown'),
      count(*) FILTER (NOT ${isRejectedSql} AND state <> 'unknown'),
      count(*) FILTER (state <> 'present' AND ${inBase}),
      count(*) FILTER (state = 'present' AND NOT ${inBase}),
      min(retry_at)
    FROM exceptions`);
  return {
    counts: {
      delivered: (base?.rows ?? 0) - Number(lost) + Number(extra),
      rejected: Number(rejected),
      unknown: Number(unknown),
      waiting: Number(waiting),
    },
    retry_at: typeof retryAt === "string" ? retryAt : null,
  };
}
