import { showConfig } from "../contracts/connector-config.ts";
import type { OpenedLog, OpenLogInput, Pace } from "../contracts/run.ts";
import type { ConnectorLog } from "../ledger/log.ts";
import type { ActivityDeps } from "./deps.ts";
import { committedRun } from "./committed-run.ts";
import { lookIntervalOf } from "./look-interval.ts";

/**
 * Promise: what the connector adopts is what the log's end says, whoever wrote it. Reads only; attempt 2 reads again.
 * Errors: log_unreadable, storage_unavailable.
 */
export function createOpenLog({ ledger, pace, storageId }: ActivityDeps) {
  return async ({ key }: OpenLogInput): Promise<OpenedLog> => {
    const lookIntervalMs = lookIntervalOf(key, pace.lookIntervalMs);
    return { ...(await openedLog(ledger.log(key), { ...pace, lookIntervalMs })), storageId };
  };
}

/** What the log's end says, for the connector and for whoever answers in its stead. */
export async function openedLog(log: ConnectorLog, pace: Pace): Promise<OpenedLog> {
  const [config, end] = [await log.latestConfig(), await log.end()];
  const last = end.commit ?? (await log.commitBefore(end.lastNumber));
  return {
    config: config
      ? { number: config.number, status: config.status, shown: showConfig(config.config) }
      : null,
    lastNumber: end.lastNumber,
    open: end.open,
    last: last ? committedRun(last) : null,
    lastSyncedAt: last?.synced?.at ?? null,
    deliveredComputedAt: last?.synced?.computed_at ?? null,
    pace,
  };
}
