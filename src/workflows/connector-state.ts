import type { ShownConfig } from "../contracts/connector-config.ts";
import type { CarriedState } from "../contracts/connector-messages.ts";
import type { ConfigEntry, RunError } from "../contracts/log.ts";
import { compareComputedAt, type Recompute } from "../contracts/recompute.ts";
import type { CommittedRun, OpenedLog, RunReason, RunSummary, SeenSegment } from "../contracts/run.ts";
import type { ChannelView, CurrentRun, PendingRemovalView } from "../contracts/view.ts";
import { nextStatus, type Status } from "./connector-status.ts";

/**
 * Everything that a connector turns on, as plain JSON, and the one function that changes it. What the log knows is read
 * from the log; only what it cannot know (a signal not yet served, the next look) is carried over continue-as-new.
 */
export interface ConnectorState {
  status: Status;
  /** Set while the log could not be opened: why. */
  blockedBy: RunError | null;
  /** Blocked, and somebody asked since: worth another look at the log before the next one is due. */
  reopen: boolean;
  configNumber: number;
  config: ShownConfig | null;
  segmentName: string;
  lastNumber: number;
  /** A run of the log is open and was begun by nobody who is alive. */
  openRun: number | null;
  /** The newest recompute that was signalled and is not delivered yet. */
  newest: Recompute | null;
  /** Why a run is due, whatever `newest` says. */
  wanted: RunReason | null;
  /** Of how many users somebody wants to know what Braze shows: the next run looks, whatever it is for. */
  sample: number | null;
  currentRun: CurrentRun | null;
  /** How the connector holds on to the run under way; null where there is none. */
  tie: RunTie | null;
  /** A run that ended without a word of its own: what became of it is the log's to say. */
  lostRun: CurrentRun | null;
  lastRun: RunSummary | null;
  channels: ChannelView[];
  pendingRemoval: PendingRemovalView | null;
  lastSyncedAt: string | null;
  memberCount: number | null;
  deliveredComputedAt: string | null;
  /** When the first rejected user may be tried again, or a run that was cut short goes on. */
  retryAtMs: number | null;
  lookAtMs: number;
  /** From then on the next look cleans up files of old runs. 0: not known yet. */
  cleanUpAtMs: number;
  lookIntervalMs: number;
  runsPerHistory: number;
  eventsPerHistory: number;
  runsHere: number;
  /** Runs in a row that were cut short: the wait before the next one grows with it. */
  partialStreak: number;
  /** The storage that the log was read from; no other one may be taken for it. */
  storageId: string | null;
  /** Signals that were no recompute, so that somebody who looks can see them. */
  ignoredSignals: number;
}

interface RunTie {
  /** It was begun so that it goes on where this history ends. */
  outlives: boolean;
  /** It knows that newer membership waits. */
  told: boolean;
  /** It was asked to stop: once is enough, until it is asked to report again, which may be another execution of it after a reset. */
  stopped: boolean;
  /** When it is next asked to report its end; null where it is a child of this history, whose end Temporal reports. */
  attachAtMs: number | null;
  /** It said that it ended: the log has its commit. */
  reported: boolean;
}

/** Asked so often, a run that somebody terminated is noticed. */
const attachIntervalMs = 300_000;

export type ConnectorEvent =
  | { type: "openBegun" }
  | { type: "opened"; log: OpenedLog; at: number }
  | { type: "openFailed"; error: RunError; at: number }
  | { type: "recomputed"; recompute: Recompute | undefined }
  | { type: "configWritten"; change: ConfigEntry["change"]; number: number; config: ShownConfig; at: number }
  | { type: "syncRequested"; resync: boolean }
  | { type: "verificationRequested"; sample: number }
  | { type: "runStarted"; run: CurrentRun; outlives: boolean }
  | { type: "runTold" }
  | { type: "runStopped" }
  | { type: "runAttached"; at: number }
  | { type: "runReported"; number: unknown }
  | { type: "runEnded"; committed: CommittedRun; at: number }
  | { type: "runLost" }
  | { type: "looked"; seen: SeenSegment | null; at: number }
  | { type: "cleanedUp"; at: number };

const dayMs = 86_400_000;
/** A task that replays so many takes a quarter of a second, in which a burst brings fewer signals than a server takes during a task. */
const defaultEventsPerHistory = 500;

export function newConnectorState(carried: CarriedState | undefined): ConnectorState {
  return {
    status: "opening",
    blockedBy: null,
    reopen: false,
    configNumber: 0,
    config: null,
    segmentName: "",
    lastNumber: 0,
    openRun: null,
    newest: carried?.newest ?? null,
    wanted: carried?.wanted ?? null,
    sample: carried?.sample ?? null,
    currentRun: carried?.run?.current ?? null,
    tie: carried?.run
      ? { outlives: true, told: carried.run.told, stopped: false, attachAtMs: 0, reported: false }
      : null,
    lostRun: carried?.lostRun ?? null,
    lastRun: null,
    channels: [],
    pendingRemoval: null,
    lastSyncedAt: null,
    memberCount: null,
    deliveredComputedAt: null,
    retryAtMs: null,
    lookAtMs: carried?.lookAtMs ?? 0,
    cleanUpAtMs: carried?.cleanUpAtMs ?? 0,
    lookIntervalMs: 3_600_000,
    runsPerHistory: 100,
    eventsPerHistory: defaultEventsPerHistory,
    runsHere: 0,
    partialStreak: carried?.partialStreak ?? 0,
    storageId: carried?.storageId ?? null,
    ignoredSignals: carried?.ignoredSignals ?? 0,
  };
}

export function carriedState(state: ConnectorState): CarriedState {
  const { newest, wanted, lookAtMs, partialStreak, storageId, sample, cleanUpAtMs } = state;
  const { currentRun, tie, lostRun, ignoredSignals } = state;
  return {
    newest,
    wanted,
    lookAtMs,
    partialStreak,
    storageId,
    cleanUpAtMs,
    ...(sample === null ? {} : { sample }),
    ...(currentRun ? { run: { current: currentRun, told: tie?.told ?? false } } : {}),
    ...(lostRun ? { lostRun } : {}),
    ...(ignoredSignals > 0 ? { ignoredSignals } : {}),
  };
}

/** The one place where a connector changes. Answers a new state; what to do about it is `nextStep`'s to say. */
export function transition(state: ConnectorState, event: ConnectorEvent): ConnectorState {
  switch (event.type) {
    case "openBegun":
      return withTie(state, { reported: false });
    case "opened":
      return opened(state, event.log, event.at);
    case "openFailed":
      return {
        ...state,
        status: "blocked",
        blockedBy: event.error,
        reopen: false,
        lookAtMs: event.at + state.lookIntervalMs,
      };
    case "recomputed":
      return recomputed(state, event.recompute);
    case "configWritten":
      return configWritten(state, event);
    case "syncRequested":
      return {
        ...state,
        wanted: alsoWanted(state.wanted, event.resync ? "resync" : "sync"),
        reopen: state.status === "blocked",
      };
    case "verificationRequested":
      return {
        ...state,
        wanted: state.wanted ?? "verify",
        sample: Math.max(state.sample ?? 0, event.sample),
        reopen: state.status === "blocked",
      };
    case "runStarted":
      return {
        ...state,
        currentRun: event.run,
        tie: { outlives: event.outlives, told: false, stopped: false, attachAtMs: null, reported: false },
        wanted: null,
        sample: null,
        retryAtMs: null,
        lastNumber: event.run.number,
      };
    case "runTold":
      return withTie(state, { told: true });
    case "runAttached":
      return withTie(state, { stopped: false, attachAtMs: event.at + attachIntervalMs });
    case "runStopped":
      return withTie(state, { stopped: true });
    case "runReported":
      return isFollowed(state) && event.number === state.currentRun?.number
        ? withTie(state, { reported: true })
        : state;
    case "runEnded":
      return runEnded(state, event.committed, event.at);
    case "runLost":
      return {
        ...state,
        currentRun: null,
        tie: null,
        lostRun: state.currentRun,
        runsHere: state.runsHere + 1,
      };
    case "looked":
      return looked(state, event.seen, event.at);
    case "cleanedUp":
      return { ...state, cleanUpAtMs: event.at + dayMs };
    default:
      return assertNever(event);
  }
}

function opened(state: ConnectorState, log: OpenedLog, at: number): ConnectorState {
  // Read before a change of the settings that was written meanwhile: once more.
  if ((log.config?.number ?? 0) < state.configNumber) return { ...state, status: "opening" };
  const run = state.currentRun;
  const isUnderWay = run !== null && !isEnded(run, log);
  const adopted: ConnectorState = {
    ...state,
    status: nextStatus(state.status, {
      type: "opened",
      config: log.config?.status ?? null,
      failed: log.last?.summary.outcome === "failed",
    }),
    blockedBy: null,
    reopen: false,
    configNumber: log.config?.number ?? 0,
    config: log.config?.shown ?? null,
    lastNumber: log.lastNumber,
    openRun: log.open && !(isUnderWay && log.lastNumber === run.number) ? log.lastNumber : null,
    currentRun: isUnderWay ? run : null,
    tie: isUnderWay ? state.tie : null,
    lastSyncedAt: log.lastSyncedAt,
    deliveredComputedAt: log.deliveredComputedAt,
    lookIntervalMs: log.pace.lookIntervalMs,
    runsPerHistory: log.pace.runsPerHistory,
    storageId: log.storageId ?? state.storageId,
    eventsPerHistory: log.pace.eventsPerHistory ?? defaultEventsPerHistory,
    lookAtMs: state.lookAtMs || at,
    // A new connector has nothing to clean up.
    cleanUpAtMs: state.cleanUpAtMs || at + dayMs,
  };
  if (!log.last) return settleNewest(adopted);
  // It ended while it was followed: as if Temporal had reported it.
  if (run && !isUnderWay && log.last.summary.number === run.number)
    return runEnded({ ...adopted, currentRun: run }, log.last, at);
  return settleNewest(goOnAfterCut(lostRunClosed(withRun(adopted, log.last), log.last.summary), at));
}

/** A run that was begun, and of which the log has no commit yet, is alive until it is found closed. */
function isEnded(run: CurrentRun, log: OpenedLog): boolean {
  return log.lastNumber > run.number || (log.lastNumber === run.number && !log.open);
}

function withTie(state: ConnectorState, change: Partial<RunTie>): ConnectorState {
  return state.tie ? { ...state, tie: { ...state.tie, ...change } } : state;
}

/** As if the lost run had ended so itself: it must not be begun again at once, time after time. */
function lostRunClosed(state: ConnectorState, summary: RunSummary): ConnectorState {
  const lost = state.lostRun;
  if (!lost || state.openRun !== null || summary.number < lost.number) return state;
  const closed = { ...state, lostRun: null };
  if (isSynced(summary)) return closed;
  return {
    ...unserved(closed, lost, summary),
    partialStreak: state.partialStreak + (isCutShort(summary) ? 1 : 0),
  };
}

function recomputed(state: ConnectorState, recompute: Recompute | undefined): ConnectorState {
  if (recompute === undefined) return { ...state, ignoredSignals: state.ignoredSignals + 1 };
  const named = {
    ...state,
    reopen: state.status === "blocked",
    segmentName: recompute.segment_name ?? state.segmentName,
  };
  if (!recompute.computed_at) return { ...named, wanted: alsoWanted(named.wanted, "recompute") };
  const known = state.newest?.computed_at;
  if (known && compareComputedAt(recompute.computed_at, known) <= 0) return named;
  return settleNewest({ ...named, newest: recompute });
}

function configWritten(
  state: ConnectorState,
  event: Extract<ConnectorEvent, { type: "configWritten" }>,
): ConnectorState {
  const written = {
    ...state,
    status: nextStatus(state.status, { type: event.change }),
    configNumber: event.number,
    config: event.config,
  };
  switch (event.change) {
    case "configured":
      return {
        ...written,
        wanted:
          written.status === "inactive"
            ? exceptRemoval(state.wanted)
            : alsoWanted(exceptRemoval(state.wanted), "config"),
      };
    case "activated":
      return { ...written, wanted: wantedOnActivation(state), lookAtMs: event.at };
    case "deactivated":
    case "removed":
      return { ...written, wanted: null, sample: null };
    case "removing":
      return { ...written, wanted: "remove" };
    case "removal_approved":
      return isDelivering(written.status)
        ? { ...written, wanted: alsoWanted(state.wanted, "approved") }
        : written;
    default:
      return assertNever(event.change);
  }
}

/**
 * What changed while it was inactive is delivered at once, whether or not SegOps recomputed since. A new connector only
 * looks: a segment that was never computed must not turn it to error.
 */
function wantedOnActivation(state: ConnectorState): RunReason | null {
  if (state.status === "active" || !state.lastRun) return exceptRemoval(state.wanted);
  return "activated";
}

/** A resync writes everything that any other run would; nothing that is asked for after it may make it less. */
function alsoWanted(wanted: RunReason | null, reason: RunReason): RunReason {
  return wanted === "resync" || wanted === "remove" ? wanted : reason;
}

/** A removal that somebody took back must never run: it would unset everyone. */
function exceptRemoval(wanted: RunReason | null): RunReason | null {
  return wanted === "remove" ? null : wanted;
}

function runEnded(state: ConnectorState, committed: CommittedRun, at: number): ConnectorState {
  const { summary } = committed;
  const ended = withRun({ ...state, currentRun: null, tie: null, runsHere: state.runsHere + 1 }, committed);
  const synced = isSynced(summary);
  const settled: ConnectorState = {
    ...ended,
    status: nextStatus(state.status, { type: "runEnded", failed: summary.outcome === "failed" }),
    lastNumber: Math.max(state.lastNumber, summary.number),
    lastSyncedAt: synced ? summary.finished_at : state.lastSyncedAt,
    deliveredComputedAt: synced
      ? (summary.computed_at ?? state.deliveredComputedAt)
      : state.deliveredComputedAt,
    partialStreak: isCutShort(summary) ? state.partialStreak + 1 : 0,
    lookAtMs: state.status === "removing" ? at + state.lookIntervalMs : state.lookAtMs,
  };
  // The recompute that a run was for is spent however it ended, a newer one is not: no run may chase its own tail.
  const next = unserved(settleNewest(settled), state.currentRun, summary);
  return goOnAfterCut(next, at);
}

export function isSynced(summary: RunSummary): boolean {
  return ["clean", "no_change", "held"].includes(summary.outcome);
}

/** Ended before everything was sent, and not by a person: it goes on by itself. */
function isCutShort(summary: RunSummary | null): boolean {
  return summary?.outcome === "partial" && summary.error?.code !== "run_cancelled";
}

function goOnAfterCut(state: ConnectorState, at: number): ConnectorState {
  return isCutShort(state.lastRun)
    ? { ...state, retryAtMs: at + pauseBeforeRetryMs(state.partialStreak) }
    : state;
}

/** At once after the first run that was cut short, then half a minute doubling to a quarter of an hour. */
function pauseBeforeRetryMs(streak: number): number {
  return streak <= 1 ? 0 : Math.min(30_000 * 2 ** (streak - 2), 900_000);
}

/** Keeps the newest recompute only if it is newer than what this run began with or fetched. */
function unserved(state: ConnectorState, run: CurrentRun | null, summary: RunSummary): ConnectorState {
  const waiting = state.newest?.computed_at;
  const served = [run?.computed_at, summary.computed_at].some(
    (at) => at && waiting && compareComputedAt(at, waiting) >= 0,
  );
  return served ? { ...state, newest: null } : state;
}

function looked(state: ConnectorState, seen: SeenSegment | null, at: number): ConnectorState {
  const after = { ...state, lookAtMs: at + state.lookIntervalMs };
  if (!seen?.computedAt) return after;
  const newer =
    !state.deliveredComputedAt || compareComputedAt(seen.computedAt, state.deliveredComputedAt) > 0;
  if (!newer) return after;
  const named = seen.segmentName ?? after.segmentName;
  return settleNewest({
    ...after,
    segmentName: named,
    newest: newerOf(after.newest, { computed_at: seen.computedAt }),
  });
}

function newerOf(a: Recompute | null, b: Recompute & { computed_at: string }): Recompute {
  return a?.computed_at && compareComputedAt(a.computed_at, b.computed_at) >= 0 ? a : b;
}

/** Forgets a recompute that has been delivered: replayed and out-of-order signals end here. */
function settleNewest(state: ConnectorState): ConnectorState {
  const computedAt = state.newest?.computed_at;
  if (!computedAt || !state.deliveredComputedAt) return state;
  return compareComputedAt(computedAt, state.deliveredComputedAt) <= 0 ? { ...state, newest: null } : state;
}

function withRun(state: ConnectorState, committed: CommittedRun): ConnectorState {
  return {
    ...state,
    lastRun: committed.summary,
    channels: committed.channels,
    pendingRemoval: committed.pendingRemoval ?? null,
    memberCount: committed.summary.member_count ?? state.memberCount,
    segmentName: committed.summary.segment_name ?? state.segmentName,
    retryAtMs: retryAtMs(committed, state.lookIntervalMs),
  };
}

/** A retry that was due as the run began and still is could not be done (the source fails, say): it waits for a look's time. */
function retryAtMs({ summary, retryAt }: CommittedRun, lookIntervalMs: number): number | null {
  if (retryAt === null) return null;
  const due = Date.parse(retryAt);
  return due <= Date.parse(summary.started_at) ? Date.parse(summary.finished_at) + lookIntervalMs : due;
}

/** The run under way was begun by a history before this one. */
export function isFollowed({ currentRun, tie }: ConnectorState): boolean {
  return currentRun !== null && tie !== null && tie.attachAtMs !== null;
}

/** In `error` too: the next recompute, sync, look or changed configuration tries again. */
export function isDelivering(status: Status): boolean {
  return status === "active" || status === "error";
}

function assertNever(value: never): never {
  throw new Error(`no such case: ${JSON.stringify(value)}`);
}
