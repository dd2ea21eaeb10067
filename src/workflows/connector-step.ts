import { errorMessage } from "../contracts/errors.ts";
import { compareComputedAt } from "../contracts/recompute.ts";
import type { RunReason } from "../contracts/run.ts";
import { isDelivering, isSynced, type ConnectorState } from "./connector-state.ts";

export type Step =
  | { kind: "open" }
  | { kind: "closeRun"; number: number }
  | { kind: "run"; reason: RunReason }
  | { kind: "attach" }
  | { kind: "look" }
  | { kind: "tombstone" }
  | { kind: "continueAsNew" }
  | { kind: "end"; because: string }
  | { kind: "wait"; ms: number | null };

export interface Surroundings {
  now: number;
  /** Update handlers are still at work, or a message to the run is not delivered yet. */
  handlersBusy: boolean;
  continueAsNewSuggested: boolean;
  /** Past `eventsPerHistory`. */
  historyIsLong: boolean;
  historyAgeMs: number;
}

const dayMs = 86_400_000;

/** What a connector in this state does now. Pure, so that the workflow's wait can ask it as often as it likes. */
export function nextStep(state: ConnectorState, around: Surroundings): Step {
  switch (state.status) {
    case "opening":
      return { kind: "open" };
    case "blocked":
      if (state.reopen || around.now >= state.lookAtMs) return { kind: "open" };
      if (isHistoryDue(state, around)) return { kind: "continueAsNew" };
      return waitUntil([state.lookAtMs], around.now);
    case "none":
      return around.handlersBusy
        ? { kind: "wait", ms: null }
        : { kind: "end", because: errorMessage("connector_not_found") };
    case "removed":
      if (state.currentRun) return followStep(state, around);
      return around.handlersBusy
        ? { kind: "wait", ms: null }
        : { kind: "end", because: "the connector was removed" };
    default:
      break;
  }
  if (state.openRun !== null) return { kind: "closeRun", number: state.openRun };
  if (state.tie?.reported) return { kind: "open" };
  if (isHistoryDue(state, around)) return { kind: "continueAsNew" };
  if (state.currentRun) return followStep(state, around);
  if (state.status === "removing") return removalStep(state, around);
  if (!isDelivering(state.status)) return { kind: "wait", ms: null };
  if (state.wanted) return { kind: "run", reason: state.wanted };
  if (state.newest) return { kind: "run", reason: "recompute" };
  if (state.retryAtMs !== null && around.now >= state.retryAtMs) return { kind: "run", reason: "retry" };
  if (around.now >= state.lookAtMs) return { kind: "look" };
  return waitUntil([state.lookAtMs, state.retryAtMs], around.now);
}

/** A run that is no child of this history: it is asked to report its end, and asked again, so that its death is noticed. */
function followStep(state: ConnectorState, around: Surroundings): Step {
  const attachAtMs = state.tie?.attachAtMs ?? null;
  if (state.tie?.reported) return { kind: "open" };
  if (attachAtMs === null) return { kind: "wait", ms: null };
  return around.now >= attachAtMs ? { kind: "attach" } : waitUntil([attachAtMs], around.now);
}

/** Everybody is unset first; only then does the log get its tombstone. A failed try is repeated at the look's pace. */
function removalStep(state: ConnectorState, around: Surroundings): Step {
  if (state.wanted === null && isEverybodyUnset(state)) return { kind: "tombstone" };
  if (state.wanted) return { kind: "run", reason: "remove" };
  const due = state.retryAtMs ?? state.lookAtMs;
  return around.now >= due ? { kind: "run", reason: "remove" } : waitUntil([due], around.now);
}

/** Or as good as: whom Braze rejects by name it also keeps by name. */
function isEverybodyUnset({ channels, lastRun }: ConnectorState): boolean {
  if (channels.length === 0) return true;
  const isRemoved = lastRun?.reason === "remove" && isSynced(lastRun);
  return isRemoved && channels.every(({ unknown, waiting }) => unknown === 0 && waiting === 0);
}

function isHistoryDue(state: ConnectorState, around: Surroundings): boolean {
  if (around.handlersBusy || (state.currentRun && !state.tie?.outlives)) return false;
  return (
    around.continueAsNewSuggested ||
    around.historyIsLong ||
    state.runsHere >= state.runsPerHistory ||
    around.historyAgeMs >= dayMs
  );
}

function waitUntil(times: (number | null)[], now: number): Step {
  const first = Math.min(...times.filter((time) => time !== null));
  return { kind: "wait", ms: Math.max(first - now, 1) };
}

/** A run that is due goes first, but not for more than a day. */
export function isCleanUpDue({ wanted, newest, cleanUpAtMs }: ConnectorState, now: number): boolean {
  const isRunDue = wanted !== null || newest !== null;
  return now >= cleanUpAtMs + (isRunDue ? dayMs : 0);
}

/** Deactivated, or a removal taken back: what the run under way does is not wanted any more. */
export function isRunUnwanted(state: ConnectorState): boolean {
  if (!state.currentRun) return false;
  return state.currentRun.reason === "remove" ? state.status !== "removing" : !isDelivering(state.status);
}

/** Newer membership than the run under way was begun for. */
export function isOvertaken({ currentRun, newest, wanted }: ConnectorState): boolean {
  if (!currentRun) return false;
  if (wanted === "recompute" || !newest?.computed_at) return wanted === "recompute";
  return !currentRun.computed_at || compareComputedAt(newest.computed_at, currentRun.computed_at) > 0;
}
