import { cancellationSignal } from "@temporalio/activity";
import { connectorName } from "../contracts/connector-id.ts";
import type { CleanedUp, CleanUpInput } from "../contracts/run.ts";
import { cleanUp } from "../ledger/clean-up.ts";
import type { ActivityDeps } from "./deps.ts";
import { withHeartbeat } from "./heartbeat.ts";

/**
 * Promise: only files that no kept entry of the log names are deleted, one by one, and none where any entry that counts cannot
 * be read. Out: how many. Heartbeat: no details. Attempt 2 marks anew and goes on with what is left.
 * Errors: log_unreadable, storage_unavailable.
 */
export function createCleanUp({ storage, cleanUpAfterMs, log }: ActivityDeps) {
  return async ({ key, at }: CleanUpInput): Promise<CleanedUp> => {
    const rule = { nowMs: Date.parse(at), afterMs: cleanUpAfterMs, signal: cancellationSignal() };
    const cleaned = await withHeartbeat(() => cleanUp(storage, key, rule));
    if (cleaned.files > 0) log.info({ connector: connectorName(key), ...cleaned }, "cleaned up");
    return cleaned;
  };
}
