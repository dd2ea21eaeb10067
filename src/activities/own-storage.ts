import { CodedError } from "../contracts/errors.ts";
import type { RunScope, StorageBound } from "../contracts/run.ts";
import { readStorageId } from "../storage/instance.ts";
import type { ActivityDeps } from "./deps.ts";

/** Soon again: a worker with the right storage may be listening. */
const retryAfterMs = 5_000;

/**
 * Refuses an activity before it reads or writes anything where the storage is not the one that the connector's log is in, nor
 * the one that this worker started with (a volume may come and go under it). An empty folder taken for the storage would say
 * that no connector was ever created, and that nothing is in Braze.
 * Asked anew each time, because one small read is cheap beside a ledger that begins from nothing.
 */
export function onOwnStorage<Input extends StorageBound | { scope: RunScope }, Output>(
  { storage, storageId }: ActivityDeps,
  activity: (input: Input) => Promise<Output>,
): (input: Input) => Promise<Output> {
  return async (input) => {
    const { storageId: known } = "scope" in input ? input.scope : input;
    const expected = known ?? storageId;
    const found = await readStorageId(storage);
    if (found === expected) return await activity(input);
    throw new CodedError("storage_mismatch", `expected ${expected}, found ${found ?? "none"}`, {
      retryAfterMs,
    });
  };
}
