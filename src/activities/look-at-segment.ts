import { cancellationSignal } from "@temporalio/activity";
import type { LookAtSegmentInput, SeenSegment } from "../contracts/run.ts";
import type { ActivityDeps } from "./deps.ts";
import { withHeartbeat } from "./heartbeat.ts";

/**
 * Promise: a recompute whose webhook never came is found by the next look. One GET; attempt 2 asks again.
 * Errors: segops_*, segment_not_found.
 */
export function createLookAtSegment({ segops }: ActivityDeps) {
  return async ({ key }: LookAtSegmentInput): Promise<SeenSegment> => {
    const { computedAt, memberCount, name } = await withHeartbeat(() =>
      segops.segment(key, cancellationSignal()),
    );
    return { computedAt, memberCount, segmentName: name };
  };
}
