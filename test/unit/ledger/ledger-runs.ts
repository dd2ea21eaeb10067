import type { ChannelPlan, Commit, FileRef, LedgerRef } from "../../../src/contracts/log.ts";
import type { PartOutcome } from "../../../src/contracts/run.ts";
import type { ConnectorLog } from "../../../src/ledger/log.ts";
import { recentWrites } from "../../../src/ledger/recent-writes.ts";
import { attribute, emptyLedger, folder, planOf, restEndpoint } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

const startMs = Date.parse("2026-05-02T14:00:00.000Z");

/** The time so many minutes into the story, as the log has it. */
export function minute(minutes: number): string {
  return new Date(startMs + minutes * 60_000).toISOString();
}

interface RunOptions {
  /** Minutes into the story at which it compares, and closes. */
  at: number;
  members: readonly string[];
  windowMinutes?: number;
  /** With it, large removals are held. */
  guard?: { maxPercent?: number; approved?: readonly FileRef[] };
  resync?: boolean;
  /** Users whom Braze was seen to show wrong. */
  wrong?: readonly string[];
  /** How its parts end; settled unless said otherwise. `refused`: written by nobody, the ledger stays. */
  ends?: "settled" | "unsent" | "died" | "refused" | Pick<PartOutcome, "progress" | "reported">;
}

export interface Ran {
  plan: ChannelPlan;
  entered: string[];
  exited: string[];
  /** `user: reason` of each exception after it. */
  exceptions: string[];
  ledger: LedgerRef | undefined;
}

/** One connector's runs over the real ledger and log, one after the other, without sending anything. */
export class LedgerRuns {
  readonly log: ConnectorLog;
  readonly #world: LedgerWorld;
  #number = 0;
  #ledger: LedgerRef | undefined;

  constructor(world: LedgerWorld) {
    this.#world = world;
    this.log = world.ledger.log({ tenant_slug: "acme", segment_id: 7 });
  }

  async run(options: RunOptions): Promise<Ran> {
    const number = ++this.#number;
    const at = minute(options.at);
    const snapshot = await this.#world.snapshot(options.members, this.#ledger?.base);
    const plan = await this.#diff(number, snapshot, options);
    const entry = { ...planOf(number, snapshot, [plan]), at };
    await this.log.putPlan(entry);
    const ends = options.ends ?? "settled";
    const settling = { folder, number, plan: entry, restEndpoint, at };
    const parts = outcomes(plan, ends);
    if (ends === "died") [this.#ledger] = await this.#world.ledger.abandonRun(settling);
    else if (ends !== "refused")
      [this.#ledger] = await this.#world.ledger.settleLedger({ ...settling, parts });
    const channels = this.#ledger ? [this.#ledger] : [];
    await this.log.putCommit(commitOf(number, at, channels, ends !== "refused" && ends !== "unsent"));
    return {
      plan,
      entered: await this.#users(plan, "entered"),
      exited: await this.#users(plan, "exited"),
      exceptions: (await this.#world.rows(this.#ledger?.exceptions ?? null)).map(
        (row) => `${String(row["user_id"])}: ${String(row["reason"])}`,
      ),
      ledger: this.#ledger,
    };
  }

  async #diff(number: number, snapshot: FileRef, options: RunOptions): Promise<ChannelPlan> {
    const { counts } = this.#ledger ?? {};
    const audience = (counts?.delivered ?? 0) + (counts?.unknown ?? 0);
    const guard = options.guard && {
      audience,
      members: snapshot.rows,
      maxPercent: 30,
      approved: [],
      ...options.guard,
    };
    const at = minute(options.at);
    const recent = await recentWrites(this.log, {
      number,
      at,
      windowMs: (options.windowMinutes ?? 0) * 60_000,
    });
    const { base, exceptions } = this.#ledger ?? emptyLedger;
    const channel = {
      channel: attribute,
      base,
      exceptions,
      target: "snapshot",
      batchSize: 75,
      recent: recent(attribute),
      guard,
      wrong: options.wrong
        ? await this.#world.ledger.publishWrong({ folder, number, userIds: options.wrong })
        : null,
    } as const;
    const { resync } = options;
    const [plan] = await this.#world.ledger.diffChannels({
      folder,
      number,
      snapshot,
      channels: [channel],
      at,
      resync,
    });
    return plan!;
  }

  async #users(plan: ChannelPlan, direction: "entered" | "exited"): Promise<string[]> {
    const parts = plan.deltas.find((delta) => delta.direction === direction)?.parts ?? [];
    const users = [];
    for (const part of parts) users.push(...(await this.#world.ledger.readPart(part)));
    return users;
  }
}

function outcomes(plan: ChannelPlan, ends: NonNullable<RunOptions["ends"]>): PartOutcome[] {
  if (typeof ends === "string" && ends !== "settled") return [];
  return plan.deltas.flatMap(({ direction, parts }) =>
    parts.map(({ rows }, part) => {
      const head = { channel: plan.channel, direction, part };
      if (typeof ends === "object") return { ...head, ...ends };
      const rejects = { count: 0, inline: {}, file: null };
      const progress = { cursor: rows, attempted: rows, rejects, requests: 1, resent: 0 };
      return { ...head, reported: true, progress };
    }),
  );
}

function commitOf(number: number, at: string, channels: LedgerRef[], sent: boolean): Commit {
  const { workflow_id, run_id } = planOf(number, null, []);
  return {
    version: 1,
    kind: "commit",
    number,
    workflow_id,
    run_id,
    at,
    outcome: "clean",
    reason: "sync",
    config_number: 1,
    recompute: null,
    dropped: null,
    channels,
    sent,
    // A request that was refused is counted, too.
    counts: { entered: 0, exited: 0, rejected: 0, unknown: 0, waiting: 0, requests: 1, resent: 0 },
    started_at: at,
    synced: null,
    error: null,
  };
}
