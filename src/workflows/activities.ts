import { proxyActivities } from "@temporalio/workflow";
import { taskQueues } from "../contracts/temporal-names.ts";
import type { createActivities } from "../activities/create-activities.ts";

type Activities = ReturnType<typeof createActivities>;

/** A worker that died is noticed after this; a live one reports at least every few seconds. */
const heartbeatTimeout = "15s";

/**
 * Said aloud, because the SDK's default reports a cancellation before the activity has ended, against its own words: a run
 * that is stopped would be committed while its parts were still being sent.
 */
const cancellationType = "WAIT_CANCELLATION_COMPLETED";

/** Small reads and writes of the log. They wait for the storage as long as it takes: nothing can go on without it. */
export const log = proxyActivities<Pick<Activities, "openLog" | "writeConfig">>({
  taskQueue: taskQueues.compute,
  startToCloseTimeout: "1m",
  retry: { initialInterval: "1s", maximumInterval: "1m" },
});

/** One look at the segment; if it fails, the next look is soon enough. */
export const source = proxyActivities<Pick<Activities, "lookAtSegment">>({
  taskQueue: taskQueues.compute,
  startToCloseTimeout: "1m",
  summary: "hourly look",
  retry: { maximumAttempts: 3 },
});

/** Tried once a day and no longer than this, because a connector waits for it; what is left goes the next day. */
export const housekeeping = proxyActivities<Pick<Activities, "cleanUp">>({
  taskQueue: taskQueues.compute,
  scheduleToCloseTimeout: "2m",
  heartbeatTimeout,
  summary: "files of old runs",
  retry: { maximumAttempts: 1 },
});

/** Fetching retries against SegOps by itself for five minutes; the rest of the hour is for the export of a large segment. */
export const fetching = proxyActivities<Pick<Activities, "fetchMembership">>({
  taskQueue: taskQueues.compute,
  startToCloseTimeout: "1h",
  scheduleToCloseTimeout: "3h",
  heartbeatTimeout,
  cancellationType,
  summary: "membership from SegOps",
  retry: { initialInterval: "1s", maximumInterval: "1m" },
});

export const comparing = proxyActivities<Pick<Activities, "diffMembership">>({
  taskQueue: taskQueues.compute,
  startToCloseTimeout: "1h",
  heartbeatTimeout,
  cancellationType,
  summary: "what Braze must be told",
  retry: { initialInterval: "1s", maximumInterval: "1m" },
});

/** Its own patience is under four minutes. A run goes on without it, so it is not tried for long. */
export const verifying = proxyActivities<Pick<Activities, "verifyWrites">>({
  taskQueue: taskQueues.deliver,
  startToCloseTimeout: "10m",
  scheduleToCloseTimeout: "15m",
  heartbeatTimeout,
  cancellationType,
  summary: "verification: what Braze shows",
  retry: { initialInterval: "1s", maximumInterval: "10s", maximumAttempts: 3 },
});

/** Never given up: a run that has sent must say in the log what it sent. */
export const committing = proxyActivities<Pick<Activities, "commitLedger" | "closeRun">>({
  taskQueue: taskQueues.compute,
  startToCloseTimeout: "1h",
  heartbeatTimeout,
  summary: "ledger and log",
  retry: { initialInterval: "1s", maximumInterval: "1m" },
});

/**
 * One part: it stops by itself after `partSeconds`, so that half a minute more is only reached by a worker that hangs.
 * It is tried for `triedForMs` without the run hearing of it, but once at least.
 * The summary is what the Temporal UI shows for it, such as `part 12/500 · entered`.
 */
export function sending(partSeconds: number, triedForMs: number, summary: string) {
  const attemptMs = (partSeconds + 30) * 1000;
  return proxyActivities<Pick<Activities, "trackEntered" | "unsetExited" | "updateSubscriptionGroup">>({
    taskQueue: taskQueues.deliver,
    startToCloseTimeout: attemptMs,
    scheduleToCloseTimeout: Math.max(triedForMs, attemptMs),
    heartbeatTimeout,
    cancellationType,
    summary,
    retry: { initialInterval: "1s", maximumInterval: "30s" },
  });
}
