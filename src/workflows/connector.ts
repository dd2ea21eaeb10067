// One connector: one segment of one tenant delivered to one Braze workspace, for years. It reads its log, then waits for a
// reason to run; one run at a time, each a child workflow; the newest recompute wins. Its states are in connector-status.ts.
// Over continue-as-new, which may come while a run is under way, it carries only what the log cannot say: signals not served
// yet, when to look next, and that run, which it then follows from outside.
// When there is nothing to do: `recompute` that is not newer than what was delivered does nothing; `activate`, `deactivate`
// and `configure` write one settings entry each time; `sync` of an inactive connector is refused; a connector that was never
// created ends at once, saying so.
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  ContinueAsNew,
  continueAsNew,
  currentUpdateInfo,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  upsertMemo,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
  type ChildWorkflowHandle,
  type ExternalWorkflowHandle,
} from "@temporalio/workflow";
import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { fieldIssues, issueWords, type ConfigChange } from "../contracts/connector-config.ts";
import {
  activateUpdate,
  approveRemovalUpdate,
  attachedSignal,
  configureUpdate,
  deactivateUpdate,
  describeQuery,
  newerMembershipSignal,
  removeUpdate,
  resyncUpdate,
  syncUpdate,
  verifyUpdate,
  type ConnectorInput,
} from "../contracts/connector-messages.ts";
import {
  connectorKeySchema,
  connectorWorkflowId,
  runWorkflowId,
  type ConnectorKey,
} from "../contracts/connector-id.ts";
import { errorMessage, type ErrorCode } from "../contracts/errors.ts";
import type { ConfigEntry } from "../contracts/log.ts";
import { parseRecompute } from "../contracts/recompute.ts";
import { verifySampleUsers } from "../contracts/run.ts";
import type { CommittedRun, RunReason, RunScope } from "../contracts/run.ts";
import { handlerNames, searchAttributes, storageIdMemo } from "../contracts/temporal-names.ts";
import type { ConnectorView } from "../contracts/view.ts";
import { committing, housekeeping, log, source } from "./activities.ts";
import {
  carriedState,
  isDelivering,
  isFollowed,
  newConnectorState,
  transition,
  type ConnectorEvent,
  type ConnectorState,
} from "./connector-state.ts";
import { isCleanUpDue, isOvertaken, isRunUnwanted, nextStep, type Step } from "./connector-step.ts";
import { connectorDetails, connectorView } from "./connector-view.ts";
import { refusal, runErrorOf } from "./failure.ts";
import { patches } from "./patches.ts";
import { decoded, rawSignal } from "./raw-signal.ts";
import { startRun } from "./start-run.ts";
import type { syncRun } from "./sync-run.ts";
import { validateApproval, validateConfigure, validateRemove, validateVerify } from "./update-validators.ts";

/** Answers why it ended. It ends only when the connector was removed or was never created. */
export async function connector(input: ConnectorInput): Promise<string> {
  const key = connectorKeySchema.safeParse(input);
  if (!key.success) {
    const issues = issueWords(fieldIssues(key.error));
    throw ApplicationFailure.nonRetryable(`the connector's input was refused: ${issues}`, "config_invalid");
  }
  const life = new ConnectorLife(key.data, newConnectorState(input.carried));
  setHandler(rawSignal(handlerNames.recompute), (body) => life.recompute(decoded(body)), {
    description: "SegOps recomputed the segment",
  });
  setHandler(rawSignal(handlerNames.runEnded), (number) =>
    life.apply({ type: "runReported", number: decoded(number) }),
  );
  setHandler(describeQuery, () => life.view());
  setHandler(configureUpdate, (change, options) => life.write("configured", change, options?.create), {
    validator: validateConfigure,
  });
  setHandler(activateUpdate, () => life.write("activated"));
  setHandler(deactivateUpdate, () => life.write("deactivated"));
  setHandler(syncUpdate, () => life.sync(false));
  setHandler(resyncUpdate, () => life.sync(true));
  setHandler(verifyUpdate, (options) => life.verify(options?.sample ?? verifySampleUsers), {
    validator: validateVerify,
  });
  setHandler(approveRemovalUpdate, (approval) => life.write("removal_approved", approval), {
    validator: validateApproval,
  });
  setHandler(removeUpdate, (options) => life.write(options?.cleanup ? "removing" : "removed"), {
    validator: validateRemove,
  });
  try {
    for (;;) {
      const step = life.next();
      if (step.kind === "end") return step.because;
      await life.take(step);
    }
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => life.leave());
    throw error;
  }
}

class ConnectorLife {
  readonly #key: ConnectorKey;
  readonly #startedMs = Date.now();
  #state: ConnectorState;
  #run: { handle: ChildWorkflowHandle<typeof syncRun>; scope: CancellationScope } | null = null;
  #writing = false;
  /** Messages to the run that are on their way: they would be lost with this history. */
  #undelivered = 0;
  #shown = "";

  constructor(key: ConnectorKey, state: ConnectorState) {
    this.#key = key;
    this.#state = state;
  }

  view(): ConnectorView {
    return connectorView(this.#key, this.#state);
  }

  next(): Step {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    const now = Date.now();
    return nextStep(this.#state, {
      now,
      handlersBusy: !allHandlersFinished() || this.#undelivered > 0,
      continueAsNewSuggested,
      // In this order: a patch costs an event where it is asked for.
      historyIsLong: historyLength >= this.#state.eventsPerHistory && patched(patches.runOutlivesHistory.id),
      historyAgeMs: now - this.#startedMs,
    });
  }

  async take(step: Exclude<Step, { kind: "end" }>): Promise<void> {
    switch (step.kind) {
      case "open":
        return await this.open();
      case "closeRun":
        return await this.closeRun(step.number);
      case "run":
        return await this.runOnce(step.reason);
      case "attach":
        return await this.attach();
      case "look":
        return await this.look();
      case "tombstone":
        return await this.bury();
      case "continueAsNew":
        return await this.continueAsNew();
      case "wait":
        return await this.wait(step.ms);
    }
  }

  async continueAsNew(): Promise<never> {
    return await continueAsNew<typeof connector>({ ...this.#key, carried: carriedState(this.#state) });
  }

  recompute(body: unknown): void {
    this.apply({ type: "recomputed", recompute: parseRecompute(body, this.#key.segment_id) });
    this.tellRun();
  }

  /** A change of the settings: one entry in the log, then the state. One at a time, so that entries keep their order. */
  async write(
    change: ConfigEntry["change"],
    config?: ConfigChange | { digest: string },
    create = false,
  ): Promise<ConnectorView> {
    const changeId = `${workflowInfo().firstExecutionRunId}/${currentUpdateInfo()?.id}`;
    await this.opened();
    await this.alone(async () => {
      this.refuseUnlessCreated(change);
      await this.writeEntry(change, changeId, config ?? null, create).catch((error: unknown) => {
        throw refusal(error);
      });
    });
    return this.view();
  }

  /** The check is repeated: everybody who waits wakes at once when the one before is done. */
  async alone(work: () => Promise<void>): Promise<void> {
    while (this.#writing) await condition(() => !this.#writing);
    this.#writing = true;
    try {
      await work();
    } finally {
      this.#writing = false;
    }
  }

  async writeEntry(
    change: ConfigEntry["change"],
    changeId: string,
    config: ConfigChange | { digest: string } | null,
    create = false,
  ): Promise<void> {
    const { workflowId } = workflowInfo();
    const at = new Date().toISOString();
    const { number, shown } = await log.writeConfig({
      key: this.#key,
      storageId: this.#state.storageId,
      workflowId,
      at,
      changeId,
      change,
      config,
      ...(create ? { create } : {}),
    });
    this.apply({ type: "configWritten", change, number, config: shown, at: Date.now() });
    this.stopUnwantedRun();
  }

  sync(resync: boolean): Promise<ConnectorView> {
    return this.ask({ type: "syncRequested", resync });
  }

  verify(sample: number): Promise<ConnectorView> {
    return this.ask({ type: "verificationRequested", sample });
  }

  /** A run now, whether or not anything is new: refused where none would follow. */
  async ask(
    event: Extract<ConnectorEvent, { type: "syncRequested" | "verificationRequested" }>,
  ): Promise<ConnectorView> {
    await condition(() => this.#state.status !== "opening");
    this.refuseUnlessCreated("sync");
    const { status } = this.#state;
    if (!isDelivering(status) && status !== "blocked") throw refused("connector_inactive");
    this.apply(event);
    return this.view();
  }

  async opened(): Promise<void> {
    await condition(() => this.#state.status !== "opening");
    if (this.#state.blockedBy)
      throw ApplicationFailure.nonRetryable(this.#state.blockedBy.message, this.#state.blockedBy.code);
  }

  refuseUnlessCreated(change: ConfigEntry["change"] | "sync"): void {
    const { status } = this.#state;
    if (change !== "configured" && (status === "none" || status === "removed"))
      throw refused("connector_not_found");
  }

  async open(): Promise<void> {
    this.apply({ type: "openBegun" });
    try {
      const { storageId, lastRun, configNumber } = this.#state;
      const known = { run: lastRun?.number ?? 0, config: configNumber };
      const read = await log.openLog({ key: this.#key, storageId, known });
      this.apply({ type: "opened", log: read, at: Date.now() });
    } catch (error) {
      this.block(error);
    }
  }

  /** For workers that start: they must not take another storage for this one. */
  noteStorage(): void {
    const { status, storageId } = this.#state;
    if (status === "opening" || status === "none" || storageId === null) return;
    if (workflowInfo().memo?.[storageIdMemo] === storageId) return;
    if (patched(patches.storageIdInMemo.id)) upsertMemo({ [storageIdMemo]: storageId });
  }

  async wait(ms: number | null): Promise<void> {
    const due = () => this.next().kind !== "wait";
    if (ms === null) await condition(due);
    else await condition(due, ms);
  }

  async look(): Promise<void> {
    const { storageId } = this.#state;
    const seen = await source.lookAtSegment({ key: this.#key, storageId }).catch(() => null);
    this.apply({ type: "looked", seen, at: Date.now() });
    await this.cleanUp();
  }

  /** Whatever becomes of it: the next day it is tried again, and goes on with what is left. */
  async cleanUp(): Promise<void> {
    if (!isCleanUpDue(this.#state, Date.now()) || !patched(patches.cleanUp.id)) return;
    const { storageId } = this.#state;
    const at = new Date().toISOString();
    await housekeeping.cleanUp({ key: this.#key, storageId, at }).catch(() => null);
    this.apply({ type: "cleanedUp", at: Date.now() });
  }

  /** Not if somebody took the removal back while this waited its turn. */
  async bury(): Promise<void> {
    const changeId = uuid4();
    await this.alone(async () => {
      if (this.next().kind === "tombstone") await this.writeEntry("removed", changeId, null);
    }).catch((error: unknown) => this.block(error));
  }

  /** Expected trouble is a state: it waits for the next look, recompute or sync, and never fails the workflow. */
  block(error: unknown): void {
    this.apply({ type: "openFailed", error: runErrorOf(error), at: Date.now() });
  }

  /** A child workflow per run, in a scope of its own, so that deactivation can cancel it. */
  async runOnce(reason: RunReason): Promise<void> {
    const number = this.#state.lastNumber + 1;
    const scope = new CancellationScope({ cancellable: true });
    const outlives = patched(patches.runOutlivesHistory.id);
    let committed: CommittedRun;
    try {
      const handle = await scope.run(() => this.startRun(number, reason, outlives));
      this.#run = { handle, scope };
      // What came between the decision and the start had no run yet to turn to.
      this.stopUnwantedRun();
      this.tellRun();
      const result = scope.run(() => handle.result());
      committed = outlives ? await this.resultUnlessDue(result) : await result;
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      return await this.mend(number, error);
    } finally {
      this.#run = null;
    }
    if (committed.summary.outcome !== "superseded")
      return this.apply({ type: "runEnded", committed, at: Date.now() });
    this.apply({ type: "runLost" });
    await this.open();
  }

  /** Leaves the run behind, to be followed by the next history, where this one is due to end before the run does. */
  async resultUnlessDue(result: Promise<CommittedRun>): Promise<CommittedRun> {
    let isOver = false;
    const noteEnd = () => void (isOver = true);
    void result.then(noteEnd, noteEnd);
    const isDue = () => this.next().kind === "continueAsNew";
    // A cancelled connector still waits for its run's commit.
    const endOrDue = () => condition(() => isOver || isDue());
    for (;;) {
      await CancellationScope.nonCancellable(endOrDue);
      if (isOver) return await result;
      // Asked again, because an update may have come to work in between.
      if (isDue()) await this.continueAsNew();
    }
  }

  /** The answer is the run's `runEnded`. A run that cannot be asked is closed, and so it is in the log. */
  async attach(): Promise<void> {
    const run = this.#state.currentRun;
    if (!run) return;
    try {
      await getExternalWorkflowHandle(run.workflow_id).signal(attachedSignal);
    } catch (error) {
      if (isCancellation(error)) throw error;
      return await this.closeRun(run.number);
    }
    this.apply({ type: "runAttached", at: Date.now() });
    this.stopUnwantedRun();
  }

  async startRun(
    number: number,
    reason: RunReason,
    outlives: boolean,
  ): Promise<ChildWorkflowHandle<typeof syncRun>> {
    const { newest, segmentName, config, storageId, sample } = this.#state;
    const workflowId = runWorkflowId(this.#key, number);
    const host = config?.rest_endpoint.replace(/^https?:\/\//, "") ?? "";
    // Before the start: a wish that comes while it starts is for the run after it.
    this.apply({
      type: "runStarted",
      outlives,
      run: {
        number,
        workflow_id: workflowId,
        reason,
        computed_at: newest?.computed_at ?? null,
        started_at: new Date().toISOString(),
      },
    });
    const empty = reason === "remove";
    const input = { key: this.#key, number, reason, recompute: newest, empty, storageId, sample };
    const summary = `${segmentName || `Segment ${this.#key.segment_id}`} → ${host}`;
    return await startRun(input, { workflowId, summary, outlives });
  }

  /** The run ended without telling how (terminated, or already begun by an orphan): the log gets its close, then it is adopted. */
  async mend(number: number, error: unknown): Promise<void> {
    this.apply({ type: "runLost" });
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) {
      const { code } = runErrorOf(error);
      setCurrentDetails(`Run ${number} ended without a report (${code}); closing it in the log`);
    }
    await this.closeRun(number);
  }

  async closeRun(number: number): Promise<void> {
    const { runId } = workflowInfo();
    const { storageId } = this.#state;
    const workflowId = connectorWorkflowId(this.#key);
    const scope: RunScope = { key: this.#key, number, workflowId, runId, storageId };
    try {
      await committing.closeRun({ scope, at: new Date().toISOString() });
    } catch (error) {
      return this.block(error);
    }
    await this.open();
  }

  stopUnwantedRun(): void {
    if (!isRunUnwanted(this.#state)) return;
    if (!this.#state.tie?.outlives) return this.#run?.scope.cancel();
    // One that is still starting is asked once it has started.
    if (this.#state.tie.stopped || !this.canReachRun()) return;
    this.apply({ type: "runStopped" });
    this.send((run) => run.cancel());
  }

  /** Once per run: it may be sending for an hour, and then it had better begin anew. */
  tellRun(): void {
    if (!this.canReachRun() || this.#state.tie?.told || !isOvertaken(this.#state)) return;
    this.apply({ type: "runTold" });
    if (this.#state.tie?.outlives) this.send((run) => run.signal(newerMembershipSignal));
    else void this.#run?.handle.signal(newerMembershipSignal).catch(() => undefined);
  }

  canReachRun(): boolean {
    return this.#run !== null || isFollowed(this.#state);
  }

  /** By the run's id alone, so that one that was reset hears it. One that has just ended cannot, and need not. */
  send(message: (run: ExternalWorkflowHandle) => Promise<void>): void {
    const run = this.#state.currentRun;
    if (!run || !this.canReachRun()) return;
    this.#undelivered++;
    void message(getExternalWorkflowHandle(run.workflow_id))
      .catch(() => undefined)
      .finally(() => this.#undelivered--);
  }

  /** Somebody cancelled the connector: the run that it follows is stopped too, and commits by itself. */
  async leave(): Promise<void> {
    if (!isFollowed(this.#state)) return;
    this.send((run) => run.cancel());
    await condition(() => this.#undelivered === 0);
  }

  apply(event: ConnectorEvent): void {
    const before = this.#state;
    this.#state = transition(before, event);
    // In a burst of recomputes a task must stay short: a server gives up one during which a hundred more signals come.
    if (event.type === "recomputed" && isShownAlike(before, this.#state)) return;
    setCurrentDetails(connectorDetails(this.#key, this.#state));
    this.showAttributes();
    this.noteStorage();
  }

  /** Each upsert costs one event, so only when something in it changed. */
  showAttributes(): void {
    const { status, lastRun, lastSyncedAt, channels } = this.#state;
    if (status === "opening" || status === "none") return;
    const rejected = channels.reduce((sum, channel) => sum + channel.rejected, 0);
    const shown = JSON.stringify([status, lastRun?.outcome, lastSyncedAt, rejected]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    upsertSearchAttributes([
      { key: searchAttributes.tenant, value: this.#key.tenant_slug },
      { key: searchAttributes.segment, value: String(this.#key.segment_id) },
      { key: searchAttributes.status, value: this.view().status },
      { key: searchAttributes.rejectedCount, value: rejected },
      ...(lastRun ? [{ key: searchAttributes.outcome, value: lastRun.outcome }] : []),
      ...(lastSyncedAt ? [{ key: searchAttributes.lastSyncedAt, value: new Date(lastSyncedAt) }] : []),
    ]);
  }
}

/** Of all that is shown a recompute changes only these two. */
function isShownAlike(before: ConnectorState, after: ConnectorState): boolean {
  return before.segmentName === after.segmentName && before.ignoredSignals === after.ignoredSignals;
}

function refused(code: ErrorCode): ApplicationFailure {
  return ApplicationFailure.nonRetryable(errorMessage(code), code);
}
