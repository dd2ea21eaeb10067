import { cancellationSignal } from "@temporalio/activity";
import type { FetchedMembership, FetchMembershipInput } from "../contracts/run.ts";
import { connectorFolder } from "../contracts/log.ts";
import { readMembership } from "../segops/membership.ts";
import type { ActivityDeps } from "./deps.ts";
import { withHeartbeat } from "./heartbeat.ts";

/**
 * Promise: what it answers is a whole membership, proven, no older than the signal or the ledger; otherwise nothing.
 * In: which run, and what was signalled. Out: a snapshot in storage, its counts. When it is the very set that was delivered
 * last, the snapshot is that one and nothing is written.
 * Heartbeat: no details. Attempt 2 starts over; a snapshot that attempt 1 stored is unreferenced and cleaned up later.
 * Errors: segops_*, segment_*, snapshot_unverified, ledger_missing, storage_unavailable.
 */
export function createFetchMembership({ ledger, segops, scratchDir, heavy }: ActivityDeps) {
  return async ({ scope, recompute }: FetchMembershipInput): Promise<FetchedMembership> => {
    const log = ledger.log(scope.key);
    const signal = cancellationSignal();
    const previous = await log.commitBefore(scope.number);
    // Only the work in DuckDB takes a place: a source that fails is waited for up to five minutes, and others must go on meanwhile.
    const sink = () => {
      const builder = ledger.createSnapshot();
      const addExport: typeof builder.addExport = (...args) => heavy(() => builder.addExport(...args));
      return { ...builder, addExport, finish: () => heavy(() => builder.finish()) };
    };
    const read = async () => {
      const membership = await readMembership({
        segops,
        key: scope.key,
        sink,
        scratchDir,
        notBefore: recompute?.computed_at,
        ledgerComputedAt: previous?.synced?.computed_at,
        signal,
      });
      const { built, computedAt, memberCount, segmentName } = membership;
      try {
        const known = previous?.channels.find((channel) => channel.base !== null)?.base ?? null;
        const folder = connectorFolder(scope.key);
        const snapshot = await ledger.publishSnapshot({ built, folder, computedAt, previous: known });
        return { snapshot, computedAt, memberCount, segmentName, dropped: built.dropped };
      } finally {
        await membership.discard();
      }
    };
    return await withHeartbeat(read);
  };
}
