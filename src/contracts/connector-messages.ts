import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { ConfigChange } from "./connector-config.ts";
import type { ConnectorKey } from "./connector-id.ts";
import { handlerNames } from "./temporal-names.ts";
import type { Recompute } from "./recompute.ts";
import type { RunReason } from "./run.ts";
import type { ConnectorView, CurrentRun, RunProgress } from "./view.ts";

/** What the connector workflow is started with. Only the key is a caller's; the rest it hands on to itself. */
export interface ConnectorInput extends ConnectorKey {
  carried?: CarriedState;
}

/** What the log cannot say and continue-as-new must not lose. Plain JSON, complete, grown only by optional fields. */
export interface CarriedState {
  newest: Recompute | null;
  wanted: RunReason | null;
  lookAtMs: number;
  partialStreak: number;
  /** The storage that the log was read from: no other one may be taken for it. */
  storageId?: string | null;
  sample?: number | null;
  /** When files of old runs are to be cleaned up next. */
  cleanUpAtMs?: number;
  /** The run that was under way: it goes on, and is followed. */
  run?: { current: CurrentRun; told: boolean };
  /** A run that ended without a word, where the log could not be read since. */
  lostRun?: CurrentRun;
  ignoredSignals?: number;
}

/** `create`: refused with `connector_exists` where there is a connector, so that of two creations at once only one is done. */
export interface ConfigureOptions {
  create?: boolean;
}

/** The webhook body as it is; anything else is noted and ignored. */
export const recomputeSignal = defineSignal<[unknown?]>(handlerNames.recompute);
export const configureUpdate = defineUpdate<ConnectorView, [ConfigChange, ConfigureOptions?]>(
  handlerNames.configure,
);
export const activateUpdate = defineUpdate<ConnectorView>(handlerNames.activate);
export const deactivateUpdate = defineUpdate<ConnectorView>(handlerNames.deactivate);
export const syncUpdate = defineUpdate<ConnectorView>(handlerNames.sync);
export const resyncUpdate = defineUpdate<ConnectorView>(handlerNames.resync);
export const verifyUpdate = defineUpdate<ConnectorView, [{ sample?: number }?]>(handlerNames.verify);
export const approveRemovalUpdate = defineUpdate<ConnectorView, [{ digest: string }]>(
  handlerNames.approveRemoval,
);
export const removeUpdate = defineUpdate<ConnectorView, [{ cleanup?: boolean }?]>(handlerNames.remove);
export const describeQuery = defineQuery<ConnectorView>(handlerNames.describe);

/** To a run: newer membership waits, so that it need not send for longer than an hour. */
export const newerMembershipSignal = defineSignal(handlerNames.newerMembership);
/** To a run: its connector is no parent of it any more, and is to be told of its end. */
export const attachedSignal = defineSignal(handlerNames.attached);
/** From a run that was attached to its connector: the run of this number has its commit in the log. */
export const runEndedSignal = defineSignal<[number]>(handlerNames.runEnded);
export const progressQuery = defineQuery<RunProgress>(handlerNames.progress);
