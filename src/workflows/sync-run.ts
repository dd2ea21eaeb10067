// One run: from a recompute to a commit. fetching → verifying → comparing → tracking ‖ → unsetting ‖ → updating ‖ → committing.
// Every run ends with a commit, also one that was cancelled, failed or had nothing to send; within a run a user's desired
// state never changes. A run never continues as new. `newerMembership` with nothing to send does nothing. `attached` says that the
// connector continued as new meanwhile: Temporal tells it of the end no more, so the run does.
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import { connectorWorkflowId } from "../contracts/connector-id.ts";
import { progressQuery, runEndedSignal } from "../contracts/connector-messages.ts";
import { parseChannel } from "../contracts/channel.ts";
import { errorMessage, type ErrorCode } from "../contracts/errors.ts";
import type { RunError } from "../contracts/log.ts";
import type {
  CommittedRun,
  DiffedMembership,
  FetchedMembership,
  PlannedDelta,
  RunScope,
  SyncRunInput,
  VerifiedWrites,
} from "../contracts/run.ts";
import { handlerNames, searchAttributes } from "../contracts/temporal-names.ts";
import type { RunPhase } from "../contracts/view.ts";
import { committing, comparing, fetching, sending, verifying } from "./activities.ts";
import { patches } from "./patches.ts";
import { partProgressOf, runErrorOf } from "./failure.ts";
import { rawSignal } from "./raw-signal.ts";
import { outcomeDetails, progressDetails, RunTracker } from "./run-progress.ts";

/** Parts of one delta in flight at once. */
const partsInFlight = 8;
/** So long a part is tried before the run hears how far it came: what stalls is measured no finer. */
const heardOfMs = 5 * 60_000;
/** Between two executions of a part that came no further: the first may have failed at once. */
const pauseMs = 30_000;
/** Sending longer than this while newer membership waits is cut short. */
const overtakenAfterMs = 3_600_000;

export async function syncRun(input: SyncRunInput): Promise<CommittedRun> {
  const run = new Run(input);
  setHandler(progressQuery, () => run.tracker.progress(Date.now()));
  setHandler(rawSignal(handlerNames.newerMembership), () => run.noteNewerMembership());
  setHandler(rawSignal(handlerNames.attached), () => run.noteAttached());
  await run.pass();
  const committed = await CancellationScope.nonCancellable(() => run.commit());
  upsertSearchAttributes([
    { key: searchAttributes.outcome, value: committed.summary.outcome },
    { key: searchAttributes.rejectedCount, value: committed.summary.rejected },
  ]);
  run.tracker.enter("done");
  setCurrentDetails(outcomeDetails(committed.summary));
  await CancellationScope.nonCancellable(() => run.answer());
  return committed;
}

class Run {
  readonly tracker = new RunTracker(Date.now());
  readonly #input: SyncRunInput;
  readonly #scope: RunScope;
  readonly #startedAt = new Date().toISOString();
  #membership: FetchedMembership | null = null;
  #verified: VerifiedWrites | null = null;
  #diffed: DiffedMembership | null = null;
  #error: RunError | null = null;
  #newerWaits = false;
  #attached = 0;

  constructor(input: SyncRunInput) {
    const { workflowId, runId } = workflowInfo();
    this.#input = input;
    const { key, number, storageId = null } = input;
    this.#scope = { key, number, workflowId, runId, storageId };
  }

  noteNewerMembership(): void {
    this.#newerWaits = true;
  }

  noteAttached(): void {
    this.#attached++;
  }

  enter(phase: RunPhase): void {
    this.tracker.enter(phase);
    this.show();
  }

  show(): void {
    setCurrentDetails(progressDetails(this.tracker.progress(Date.now())));
  }

  /** Everything before the commit. It throws nothing: what went wrong is what the commit will say. */
  async pass(): Promise<void> {
    try {
      await this.plan();
      await this.send();
    } catch (error) {
      this.#error = isCancellation(error) ? coded("run_cancelled") : runErrorOf(error);
    }
  }

  async plan(): Promise<void> {
    const { recompute, empty, reason } = this.#input;
    this.enter("fetching membership");
    if (!empty) this.#membership = await fetching.fetchMembership({ scope: this.#scope, recompute });
    if (!empty && patched(patches.verifyWrites.id)) this.#verified = await this.verify();
    this.enter("comparing");
    const at = new Date().toISOString();
    const { channel, wrongUsers } = this.#verified ?? {};
    const diffed = await comparing.diffMembership({
      scope: this.#scope,
      at,
      membership: this.#membership,
      resync: reason === "resync",
      ...(channel && wrongUsers ? { wrong: { channel, users: wrongUsers } } : {}),
    });
    this.#diffed = diffed;
    this.tracker.planned(diffed.deltas, Date.now());
  }

  /** Whatever goes wrong here is said by the commit and keeps nobody from delivering. */
  async verify(): Promise<VerifiedWrites> {
    this.enter("verifying");
    const at = new Date().toISOString();
    try {
      return await verifying.verifyWrites({ scope: this.#scope, at, sample: this.#input.sample ?? null });
    } catch (error) {
      if (isCancellation(error)) throw error;
      const { code } = runErrorOf(error);
      return { checked: 0, wrong: 0, skipped: code, channel: null, wrongUsers: null, through: 0 };
    }
  }

  async send(): Promise<void> {
    const deltas = this.#diffed?.deltas ?? [];
    const isAttribute = (delta: PlannedDelta) => parseChannel(delta.channel).kind === "attribute";
    await this.sendAll(
      "tracking entered users",
      "trackEntered",
      deltas.filter((delta) => isAttribute(delta) && delta.direction === "entered"),
    );
    await this.sendAll(
      "unsetting exited users",
      "unsetExited",
      deltas.filter((delta) => isAttribute(delta) && delta.direction === "exited"),
    );
    // Strictly after the attribute: a subscription state carries consent, and must not run ahead of the membership.
    await this.sendAll(
      "updating the subscription group",
      "updateSubscriptionGroup",
      deltas.filter((delta) => !isAttribute(delta)),
    );
  }

  async sendAll(phase: RunPhase, activity: SendActivity, deltas: PlannedDelta[]): Promise<void> {
    if (deltas.length > 0) this.enter(phase);
    for (const delta of deltas) await this.sendDelta(activity, delta);
  }

  /** Up to eight parts at a time. The first failure stops the pulling; what is in flight settles before it is thrown. */
  async sendDelta(activity: SendActivity, delta: PlannedDelta): Promise<void> {
    let next = 0;
    const failures: unknown[] = [];
    const lane = async () => {
      while (next < delta.parts && failures.length === 0) {
        try {
          await this.sendPart(activity, delta, next++);
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(partsInFlight, delta.parts) }, lane));
    if (failures.length > 0) throw failures[0];
  }

  /** One part until all its users are settled, in as many executions as its time-box makes of it. */
  async sendPart(activity: SendActivity, delta: PlannedDelta, part: number): Promise<void> {
    const { channel, direction } = delta;
    const summary = `part ${part + 1}/${delta.parts} · ${direction}`;
    for (;;) {
      // A part that a cancelled run merely lists as begun would count as unknown.
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure("the run was stopped");
      const triedForMs = Math.min(this.tracker.stallsInMs(Date.now()), heardOfMs);
      const deliver = sending(this.#diffed?.partSeconds ?? 60, triedForMs, summary);
      const progress = this.tracker.startPart(delta, part);
      try {
        const sent = await deliver[activity]({ scope: this.#scope, channel, direction, part, progress });
        this.tracker.settlePart(delta, part, sent.progress, !sent.isDoubtful, Date.now());
        this.show();
        if (sent.done) return;
      } catch (error) {
        this.noteFailedPart(delta, part, error);
        if (isCancellation(error) || isFinal(error)) throw error;
      }
      this.throwIfStalled();
      if (!this.tracker.hasMoved(delta, part, progress)) await sleep(pauseMs);
    }
  }

  noteFailedPart(delta: PlannedDelta, part: number, error: unknown): void {
    const known = partProgressOf(error);
    if (known) this.tracker.settlePart(delta, part, known.progress, known.reported, Date.now());
    else this.tracker.losePart(delta, part);
    this.tracker.failed(runErrorOf(error).message);
    this.show();
  }

  throwIfStalled(): void {
    const now = Date.now();
    if (this.tracker.stallsInMs(now) <= 0) throw failure("run_stalled");
    if (this.#newerWaits && this.tracker.sendingForMs(now) >= overtakenAfterMs)
      throw failure("run_overtaken");
  }

  async commit(): Promise<CommittedRun> {
    this.enter("committing");
    return await committing.commitLedger({
      scope: this.#scope,
      at: new Date().toISOString(),
      startedAt: this.#startedAt,
      reason: this.#input.reason,
      membership: this.#membership,
      planned: this.#diffed?.planned ?? false,
      configNumber: this.#diffed?.configNumber ?? null,
      parts: this.tracker.outcomes(),
      error: this.#error,
      ...(this.#verified ? { verified: this.#verified } : {}),
    });
  }

  /** Once more for a connector that attaches while the answer is under way. One that is gone reads the log when it comes back. */
  async answer(): Promise<void> {
    const connector = getExternalWorkflowHandle(connectorWorkflowId(this.#input.key));
    for (let answered = 0; answered < this.#attached;) {
      answered = this.#attached;
      await connector.signal(runEndedSignal, this.#input.number).catch(() => undefined);
    }
  }
}

type SendActivity = "trackEntered" | "unsetExited" | "updateSubscriptionGroup";

/** Not to be tried again in this run: the activity said so. Everything else is, until the run stalls. */
function isFinal(error: unknown): boolean {
  const cause = error instanceof Error && error.cause ? error.cause : error;
  return cause instanceof ApplicationFailure && cause.nonRetryable === true;
}

function coded(code: ErrorCode): RunError {
  return { code, message: errorMessage(code) };
}

function failure(code: ErrorCode): ApplicationFailure {
  return ApplicationFailure.nonRetryable(errorMessage(code), code);
}
