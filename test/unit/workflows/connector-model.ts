import { defaultOptions, type ShownConfig } from "../../../src/contracts/connector-config.ts";
import type { ConfigEntry, RunOutcome } from "../../../src/contracts/log.ts";
import type { CommittedRun, OpenedLog } from "../../../src/contracts/run.ts";
import {
  carriedState,
  newConnectorState,
  transition,
  type ConnectorEvent,
  type ConnectorState,
} from "../../../src/workflows/connector-state.ts";
import { nextStep, type Step } from "../../../src/workflows/connector-step.ts";
import { nextStatus, type Status } from "../../../src/workflows/connector-status.ts";

export const hourMs = 3_600_000;
/** After so long a followed run that died is noticed. */
export const attachMs = 300_000;

/** `computed_at` of the nth recompute. */
export function computedAt(n: number): string {
  return new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
}

/** How a run in the model ends: as its commit says, or without a word and then closed as abandoned. */
export type RunEnd = RunOutcome | "cancelled" | "lost";

interface InFlight {
  step: Exclude<Step, { kind: "wait" | "end" }>;
  /** What `openLog` read as it began: it may be stale as it is heard of. */
  read?: OpenedLog;
  fetched?: number;
}

/** A run that goes on where the history that began it has ended. */
interface OutsideRun {
  number: number;
  fetched: number;
  /** The connector asked it to report its end. */
  attached: boolean;
}

/** The pure state with a log, a source and a clock of its own: what the workflow does around it, one step at a time. */
export class ConnectorModel {
  state: ConnectorState = newConnectorState(undefined);
  now = Date.UTC(2026, 6, 1);
  inFlight: InFlight | null = null;
  outside: OutsideRun | null = null;
  ended: string | null = null;
  /** Run's reason and the status it was begun in, for every run begun. */
  readonly begun: { reason: string; status: Status; number: number }[] = [];
  /** Everything that may make a run due: each run needs one. */
  causes = 0;
  /** Signalled, newer than any run was begun for or fetched, and no run begun since. */
  owed = false;
  newestBegun = 0;
  sourceComputed = 0;
  retryDueForEver = false;
  logBroken = false;
  historyDue = false;
  #config: { number: number; status: ConfigEntry["status"] } | null = null;
  #runs: CommittedRun[] = [];
  #openRun: number | null = null;
  #delivered = 0;

  get delivered(): number {
    return this.#delivered;
  }

  apply(event: ConnectorEvent): void {
    this.state = transition(this.state, event);
  }

  signal(n: number): void {
    this.sourceComputed = Math.max(this.sourceComputed, n);
    const fetched = this.inFlight?.fetched ?? this.outside?.fetched ?? 0;
    if (n > Math.max(this.newestBegun, this.#delivered, fetched)) this.owed = true;
    this.causes++;
    this.apply({ type: "recomputed", recompute: { computed_at: computedAt(n) } });
  }

  signalWithoutTime(): void {
    this.owed = true;
    this.causes++;
    this.apply({ type: "recomputed", recompute: {} });
  }

  sync(): void {
    if (!["active", "error", "blocked"].includes(this.state.status)) return;
    this.owed = true;
    this.causes++;
    this.apply({ type: "syncRequested", resync: false });
  }

  /** As the workflow does: refused while the log is unknown, else one entry and its event. */
  write(change: Exclude<ConfigEntry["change"], "removal_approved">): void {
    const { status } = this.state;
    if (status === "opening" || status === "blocked") return;
    if (change !== "configured" && (status === "none" || status === "removed")) return;
    if (this.ended !== null) return;
    const kept = this.#config?.status === "active" ? "active" : "inactive";
    const statuses = { configured: kept, activated: "active", deactivated: "inactive" } as const;
    const after = change === "removing" || change === "removed" ? change : statuses[change];
    this.#config = { number: (this.#config?.number ?? 0) + 1, status: after };
    this.causes++;
    if (change === "deactivated" || change === "removing" || change === "removed") this.owed = false;
    const { number } = this.#config;
    this.apply({ type: "configWritten", change, number, config: shownConfig, at: this.now });
  }

  /** Does what is next, up to where something must be waited for. Answers how many steps it took. */
  settle(limit = 50): number {
    if (this.inFlight?.step.kind === "run" && this.next().kind === "continueAsNew") this.leaveRun();
    for (let steps = 0; steps < limit; steps++) {
      if (this.inFlight || this.ended !== null) return steps;
      const step = this.next();
      if (step.kind === "wait") return steps;
      this.begin(step);
    }
    return limit;
  }

  next(): Step {
    return nextStep(this.state, {
      now: this.now,
      handlersBusy: false,
      continueAsNewSuggested: false,
      historyIsLong: this.historyDue,
      historyAgeMs: 0,
    });
  }

  begin(step: Exclude<Step, { kind: "wait" }>): void {
    switch (step.kind) {
      case "end":
        this.ended = step.because;
        return;
      case "continueAsNew":
        this.historyDue = false;
        this.state = newConnectorState(carriedState(this.state));
        this.causes++;
        return;
      case "run":
        return this.beginRun(step);
      case "open":
        return this.beginOpen();
      default:
        this.inFlight = { step };
    }
  }

  /** What was in flight is heard of; a run ends as `end` says, also one that was left behind. */
  finish(end: RunEnd = "clean"): void {
    if (!this.inFlight && this.outside) return this.endOutside(end, this.outside);
    const { step, read, fetched } = this.inFlight ?? {};
    this.inFlight = null;
    switch (step?.kind) {
      case "open":
        return this.opened(read);
      case "look": {
        this.causes++;
        const seen = this.sourceComputed ? computedAt(this.sourceComputed) : null;
        return this.apply({
          type: "looked",
          seen: { computedAt: seen, memberCount: 1, segmentName: "s" },
          at: this.now,
        });
      }
      case "attach":
        if (!this.outside) return this.closeFollowed();
        this.outside.attached = true;
        return this.apply({ type: "runAttached", at: this.now });
      case "closeRun":
        this.#commit(step.number, "partial", 0, "run_abandoned");
        this.causes++;
        this.beginOpen();
        return;
      case "tombstone":
        if (this.next().kind === "tombstone") this.write("removed");
        return;
      case "run":
        return this.endRun(end, fetched ?? 0);
      default:
    }
  }

  /** Killed with all it knew; the next signal starts it anew from the log. */
  terminate(): void {
    if (this.inFlight?.step.kind === "run") this.#openRun = this.state.lastNumber;
    if (this.outside) this.#openRun = this.outside.number;
    this.inFlight = null;
    this.outside = null;
    this.owed = false;
    this.causes++;
    this.state = newConnectorState(undefined);
  }

  pass(ms: number): void {
    this.now += ms;
    if (this.state.status === "removing") this.causes += Math.ceil(ms / hourMs) + 1;
  }

  /** Continue-as-new while a run is under way. Every other such run has no plan yet. */
  private leaveRun(): void {
    const number = this.state.currentRun?.number ?? 0;
    this.outside = { number, fetched: this.inFlight?.fetched ?? 0, attached: false };
    if (number % 2 === 0) this.#openRun = number;
    this.inFlight = null;
    this.begin({ kind: "continueAsNew" });
  }

  private endOutside(end: RunEnd, { number, fetched, attached }: OutsideRun): void {
    this.outside = null;
    this.causes++;
    if (end === "lost") return;
    if (end === "superseded") this.#commit(number, "partial", 0, "run_abandoned");
    else this.#commitAs(end, number, fetched);
    if (attached) this.apply({ type: "runReported", number });
  }

  /** It cannot be asked any more: its commit, if it has none yet, says so. */
  private closeFollowed(): void {
    const number = this.state.currentRun?.number ?? 0;
    if (this.#runs.at(-1)?.summary.number !== number) this.#commit(number, "partial", 0, "run_abandoned");
    this.causes++;
    this.beginOpen();
  }

  private beginOpen(): void {
    this.apply({ type: "openBegun" });
    this.inFlight = { step: { kind: "open" }, read: this.#read() };
  }

  private opened(read: OpenedLog | undefined): void {
    this.causes++;
    if (this.logBroken || !read) {
      const error = { code: "ledger_missing", message: "a file is missing" };
      return this.apply({ type: "openFailed", error, at: this.now });
    }
    this.apply({ type: "opened", log: read, at: this.now });
  }

  private beginRun(step: Extract<Step, { kind: "run" }>): void {
    if (this.outside) throw new Error("two runs are under way");
    const number = this.state.lastNumber + 1;
    this.begun.push({ reason: step.reason, status: this.state.status, number });
    const newest = this.state.newest?.computed_at ?? null;
    this.newestBegun = Math.max(this.newestBegun, newest ? numberOf(newest) : 0);
    this.owed = false;
    this.inFlight = { step, fetched: this.sourceComputed };
    const started_at = new Date(this.now).toISOString();
    const workflow_id = `braze/acme/7/run/${number}`;
    const run = { number, workflow_id, reason: step.reason, computed_at: newest, started_at };
    this.apply({ type: "runStarted", run, outlives: true });
  }

  private endRun(end: RunEnd, fetched: number): void {
    const number = this.state.currentRun?.number ?? 0;
    if (end === "lost" || end === "superseded") {
      this.causes++;
      this.apply({ type: "runLost" });
      this.#commit(number, "partial", 0, "run_abandoned");
      return this.beginOpen();
    }
    if (end === "partial" || this.retryDueForEver) this.causes++;
    this.#commitAs(end, number, fetched);
    const committed = this.#runs.at(-1);
    if (committed) this.apply({ type: "runEnded", committed, at: this.now });
  }

  #commitAs(end: Exclude<RunEnd, "lost">, number: number, fetched: number): void {
    const outcome = end === "cancelled" ? "partial" : end;
    const code = end === "cancelled" ? "run_cancelled" : "run_stalled";
    this.#commit(number, outcome, fetched, outcome === "partial" || outcome === "failed" ? code : null);
  }

  #commit(number: number, outcome: RunOutcome, fetched: number, code: string | null): void {
    this.#openRun = null;
    const synced = outcome === "clean" || outcome === "no_change";
    const removal = this.begun.at(-1)?.reason === "remove";
    if (synced && !removal) this.#delivered = Math.max(this.#delivered, fetched);
    const at = new Date(this.now).toISOString();
    this.#runs.push({
      summary: {
        number,
        workflow_id: `braze/acme/7/run/${number}`,
        outcome,
        reason: this.begun.at(-1)?.reason ?? "recompute",
        ...noCounts,
        computed_at: fetched && !removal ? computedAt(fetched) : null,
        member_count: null,
        segment_name: null,
        started_at: this.state.currentRun?.started_at ?? at,
        finished_at: at,
        error: code ? { code, message: code } : null,
      },
      channels:
        synced && removal
          ? []
          : [{ channel: "attribute:a", delivered: 1, rejected: 0, unknown: 0, waiting: 0 }],
      retryAt: this.retryDueForEver ? "2020-01-01T00:00:00Z" : null,
    });
  }

  #read(): OpenedLog {
    const last = this.#runs.at(-1) ?? null;
    const config = this.#config && { ...this.#config, shown: shownConfig };
    return {
      config,
      lastNumber: this.#openRun ?? last?.summary.number ?? 0,
      open: this.#openRun !== null,
      last,
      lastSyncedAt: null,
      deliveredComputedAt: this.#delivered ? computedAt(this.#delivered) : null,
      pace: { lookIntervalMs: hourMs, runsPerHistory: 100 },
    };
  }

  /** The settings as the log has them. */
  get logged(): Status {
    return nextStatus("opening", { type: "opened", config: this.#config?.status ?? null, failed: false });
  }
}

const noCounts = { entered: 0, exited: 0, rejected: 0, unknown: 0, waiting: 0, requests: 0, resent: 0 };

const shownConfig: ShownConfig = {
  ...defaultOptions(7),
  rest_endpoint: "https://rest.iad-01.braze.com",
  api_key: "***",
};

function numberOf(at: string): number {
  return (Date.parse(at) - Date.UTC(2026, 0, 1)) / 1000;
}
