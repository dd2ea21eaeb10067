import {
  noProgress,
  type PartOutcome,
  type PartProgress,
  type PlannedDelta,
  type RunSummary,
} from "../contracts/run.ts";
import { verificationLine, type RunPhase, type RunProgress } from "../contracts/view.ts";

/** A run none of whose parts comes further for so long is cut short. */
const stallLimitMs = 15 * 60_000;

/** How far a run is: pure bookkeeping over the parts, for the commit, the `progress` query and the Temporal UI. */
export class RunTracker {
  #phase: RunPhase = "fetching membership";
  #deltas: readonly PlannedDelta[] = [];
  #sendingSinceMs = 0;
  #lastProgressMs: number;
  #lastError = "";
  readonly #parts = new Map<string, PartOutcome>();
  /** Parts of which some attempt was lost: no later word of theirs says what that one sent. */
  readonly #doubtful = new Set<string>();

  constructor(startedMs: number) {
    this.#lastProgressMs = startedMs;
  }

  enter(phase: RunPhase): void {
    this.#phase = phase;
  }

  planned(deltas: readonly PlannedDelta[], nowMs: number): void {
    this.#deltas = deltas;
    this.#sendingSinceMs = nowMs;
    this.#lastProgressMs = nowMs;
  }

  /** A part is about to be handed to a worker: from here on it may have been sent. */
  startPart(delta: PlannedDelta, part: number): PartProgress {
    const known = this.#parts.get(partName(delta, part));
    if (known) {
      known.reported = false;
      return known.progress;
    }
    const { channel, direction } = delta;
    this.#parts.set(partName(delta, part), {
      channel,
      direction,
      part,
      reported: false,
      progress: noProgress,
    });
    return noProgress;
  }

  settlePart(
    delta: PlannedDelta,
    part: number,
    progress: PartProgress,
    reported: boolean,
    nowMs: number,
  ): void {
    const name = partName(delta, part);
    const known = this.#parts.get(name);
    if (!known) return;
    if (!reported) this.#doubtful.add(name);
    if (progress.cursor > known.progress.cursor) this.#lastProgressMs = nowMs;
    // A late report of an attempt that a newer one overtook must not move the cursor back.
    if (progress.cursor >= known.progress.cursor) known.progress = progress;
    known.reported = !this.#doubtful.has(name);
  }

  /** An execution ended without a word. */
  losePart(delta: PlannedDelta, part: number): void {
    this.#doubtful.add(partName(delta, part));
  }

  failed(message: string): void {
    this.#lastError = message;
  }

  /** How long the run may still go without any part coming further; 0 or less: it is stalled. */
  stallsInMs(nowMs: number): number {
    return this.#lastProgressMs + stallLimitMs - nowMs;
  }

  hasMoved(delta: PlannedDelta, part: number, since: PartProgress): boolean {
    const known = this.#parts.get(partName(delta, part));
    return known !== undefined && known.progress.cursor > since.cursor;
  }

  sendingForMs(nowMs: number): number {
    return this.#sendingSinceMs === 0 ? 0 : nowMs - this.#sendingSinceMs;
  }

  outcomes(): PartOutcome[] {
    return [...this.#parts.values()];
  }

  progress(nowMs: number): RunProgress {
    const done = this.outcomes().reduce((sum, part) => sum + part.progress.cursor, 0);
    const total = this.#deltas.reduce((sum, delta) => sum + delta.users, 0);
    const seconds = this.sendingForMs(nowMs) / 1000;
    const rate = seconds > 0 ? Math.round(done / seconds) : 0;
    return {
      phase: this.#phase,
      users_done: done,
      users_total: total,
      users_per_second: rate,
      eta_seconds: rate > 0 ? Math.ceil((total - done) / rate) : null,
      last_error: this.#lastError,
    };
  }
}

function partName(delta: PlannedDelta, part: number): string {
  return `${delta.channel} ${delta.direction} ${part}`;
}

/** What the Temporal UI shows of a run that is open. */
export function progressDetails(progress: RunProgress): string {
  const percent =
    progress.users_total > 0 ? ` (${Math.floor((100 * progress.users_done) / progress.users_total)} %)` : "";
  return [
    `**${progress.phase}**`,
    `${progress.users_done} of ${progress.users_total} users${percent}, counted as parts report, at most a minute behind`,
    `${progress.users_per_second} users/s${progress.eta_seconds === null ? "" : `, about ${progress.eta_seconds} s to go`}`,
    ...(progress.last_error ? [`last error: ${progress.last_error}`] : []),
  ].join("\n\n");
}

/** What the Temporal UI shows of a run that is closed. */
export function outcomeDetails(summary: RunSummary): string {
  const { outcome, entered, exited, rejected, unknown, waiting, requests, resent, error, verification } =
    summary;
  return [
    `**${outcome}** · ${entered} entered, ${exited} exited, ${rejected} rejected`,
    `${requests} requests, ${resent} of them sent again`,
    ...(verification ? [`verification: ${verificationLine(verification)}`] : []),
    ...(unknown + waiting > 0 ? [`${unknown} unknown, ${waiting} waiting for a later run`] : []),
    ...(error ? [`**${error.code}**: ${error.message}`] : []),
  ].join("\n\n");
}
