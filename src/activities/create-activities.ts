import { createCleanUp } from "./clean-up.ts";
import { createCloseRun } from "./close-run.ts";
import { createCommitLedger } from "./commit-ledger.ts";
import type { ActivityDeps } from "./deps.ts";
import { createDiffMembership } from "./diff-membership.ts";
import { withCodedFailures } from "./failures.ts";
import { createFetchMembership } from "./fetch-membership.ts";
import { createLookAtSegment } from "./look-at-segment.ts";
import { createOpenLog } from "./open-log.ts";
import { createTrackEntered } from "./track-entered.ts";
import { createUnsetExited } from "./unset-exited.ts";
import { createUpdateSubscriptionGroup } from "./update-subscription-group.ts";
import { createWriteConfig } from "./write-config.ts";

/** Every activity, closed over what it needs. The workflows know this function's type and nothing else of it. */
export function createActivities(deps: ActivityDeps) {
  return { ...createComputeActivities(deps), ...createDeliverActivities(deps) };
}

/** Those of the `segops-braze-compute` queue: SegOps, DuckDB, storage. */
export function createComputeActivities(deps: ActivityDeps) {
  return {
    openLog: withCodedFailures(deps.log, createOpenLog(deps)),
    writeConfig: withCodedFailures(deps.log, createWriteConfig(deps)),
    lookAtSegment: withCodedFailures(deps.log, createLookAtSegment(deps)),
    fetchMembership: withCodedFailures(deps.log, createFetchMembership(deps)),
    diffMembership: withCodedFailures(deps.log, createDiffMembership(deps)),
    commitLedger: withCodedFailures(deps.log, createCommitLedger(deps)),
    cleanUp: withCodedFailures(deps.log, createCleanUp(deps)),
    closeRun: withCodedFailures(deps.log, createCloseRun(deps)),
  };
}

/** Those of the `segops-braze-deliver` queue: all that writes to Braze. */
export function createDeliverActivities(deps: ActivityDeps) {
  return {
    trackEntered: withCodedFailures(deps.log, createTrackEntered(deps)),
    unsetExited: withCodedFailures(deps.log, createUnsetExited(deps)),
    updateSubscriptionGroup: withCodedFailures(deps.log, createUpdateSubscriptionGroup(deps)),
  };
}
