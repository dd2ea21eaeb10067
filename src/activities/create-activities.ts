import { createCleanUp } from "./clean-up.ts";
import type { RunScope, StorageBound } from "../contracts/run.ts";
import { createCloseRun } from "./close-run.ts";
import { createCommitLedger } from "./commit-ledger.ts";
import type { ActivityDeps } from "./deps.ts";
import { createDiffMembership } from "./diff-membership.ts";
import { withCodedFailures } from "./failures.ts";
import { onOwnStorage } from "./own-storage.ts";
import { createFetchMembership } from "./fetch-membership.ts";
import { createLookAtSegment } from "./look-at-segment.ts";
import { createOpenLog } from "./open-log.ts";
import { createTrackEntered } from "./track-entered.ts";
import { createUnsetExited } from "./unset-exited.ts";
import { createUpdateSubscriptionGroup } from "./update-subscription-group.ts";
import { createVerifyWrites } from "./verify-writes.ts";
import { createWriteConfig } from "./write-config.ts";

/** Every activity, closed over what it needs. The workflows know this function's type and nothing else of it. */
export function createActivities(deps: ActivityDeps) {
  return { ...createComputeActivities(deps), ...createDeliverActivities(deps) };
}

/** Those of the `segops-braze-compute` queue: SegOps, DuckDB, storage. */
export function createComputeActivities(deps: ActivityDeps) {
  return {
    openLog: prepared(deps, createOpenLog),
    writeConfig: prepared(deps, createWriteConfig),
    lookAtSegment: prepared(deps, createLookAtSegment),
    fetchMembership: prepared(deps, createFetchMembership),
    diffMembership: prepared(deps, createDiffMembership),
    commitLedger: prepared(deps, createCommitLedger),
    cleanUp: prepared(deps, createCleanUp),
    closeRun: prepared(deps, createCloseRun),
  };
}

/** Those of the `segops-braze-deliver` queue: all that speaks to Braze. */
export function createDeliverActivities(deps: ActivityDeps) {
  return {
    verifyWrites: prepared(deps, createVerifyWrites),
    trackEntered: prepared(deps, createTrackEntered),
    unsetExited: prepared(deps, createUnsetExited),
    updateSubscriptionGroup: prepared(deps, createUpdateSubscriptionGroup),
  };
}

/** As a worker runs it: on its own storage only, and with failures that a workflow may match. */
function prepared<Input extends StorageBound | { scope: RunScope }, Output>(
  deps: ActivityDeps,
  create: (deps: ActivityDeps) => (input: Input) => Promise<Output>,
): (input: Input) => Promise<Output> {
  return withCodedFailures(deps.log, onOwnStorage(deps, create(deps)));
}
