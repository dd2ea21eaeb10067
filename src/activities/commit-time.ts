import { activityInfo } from "@temporalio/activity";

/**
 * The time of a commit: the workflow's, or the server's when it handed out this attempt, and what the attempt has taken since.
 * An activity that is tried for minutes must not close its run in the past: the quiet window is counted from this.
 */
export function commitClock(at: string): () => string {
  const { currentAttemptScheduledTimestampMs } = activityInfo();
  const beganMs = Math.max(Date.parse(at), currentAttemptScheduledTimestampMs);
  const began = performance.now();
  return () => new Date(beganMs + (performance.now() - began)).toISOString();
}
