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
    openLog: withCodedFailures(deps.log, onOwnStorage(deps, createOpenLog(deps))),
    writeConfig: withCodedFailures(deps.log, onOwnStorage(deps, createWriteConfig(deps))),
    lookAtSegment: withCodedFailures(deps.log, onOwnStorage(deps, createLookAtSegment(deps))),
    fetchMembership: withCodedFailures(deps.log, onOwnStorage(deps, createFetchMembership(deps))),
    diffMembership: withCodedFailures(deps.log, onOwnStorage(deps, createDiffMembership(deps))),
    commitLedger: withCodedFailures(deps.log, onOwnStorage(deps, createCommitLedger(deps))),
    closeRun: withCodedFailures(deps.log, onOwnStorage(deps, createCloseRun(deps))),
  };
}

/** Those of the `segops-braze-deliver` queue: all that speaks to Braze. */
export function createDeliverActivities(deps: ActivityDeps) {
  return {
    verifyWrites: withCodedFailures(deps.log, onOwnStorage(deps, createVerifyWrites(deps))),
    trackEntered: withCodedFailures(deps.log, onOwnStorage(deps, createTrackEntered(deps))),
    unsetExited: withCodedFailures(deps.log, onOwnStorage(deps, createUnsetExited(deps))),
    updateSubscriptionGroup: withCodedFailures(
      deps.log,
      onOwnStorage(deps, createUpdateSubscriptionGroup(deps)),
    ),
  };
}
