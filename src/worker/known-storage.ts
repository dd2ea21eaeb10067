import { Client, ServiceError } from "@temporalio/client";
import type { NativeConnection } from "@temporalio/worker";
import { EnvironmentError } from "../contracts/environment.ts";
import { storageIdMemo, workflowTypes } from "../contracts/temporal-names.ts";
import { createStorageId, readStorageId } from "../storage/instance.ts";
import type { Storage } from "../storage/storage.ts";

/** One is enough to tell another storage; so many are asked, the youngest first, in case older ones do not know theirs yet. */
const connectorsAsked = 1_000;

/**
 * The id of the worker's storage, made now if it is new. Throws an `EnvironmentError` where an open connector of the namespace
 * has its log in another storage: this one would tell it that it was never created. Nothing is written then.
 */
export async function identifyStorage(
  storage: Storage,
  connected: { connection: NativeConnection; namespace: string },
): Promise<string> {
  const found = await readStorageId(storage);
  const other = await anotherStorage(found, connected);
  if (!other) return found ?? (await createStorageId(storage));
  throw new EnvironmentError([
    `STORAGE_URL: is another storage than the one that the log of ${other.connector} is in (expected ${other.id}, found ${found ?? "none"}); ` +
      "name the right one or mount it. Where it is lost for good: docs/operations.md, on the storage",
  ]);
}

async function anotherStorage(
  found: string | undefined,
  { connection, namespace }: { connection: NativeConnection; namespace: string },
): Promise<{ connector: string; id: string } | undefined> {
  const { workflow } = new Client({ connection, namespace });
  const query = `WorkflowType = '${workflowTypes.connector}' AND ExecutionStatus = 'Running'`;
  let asked = 0;
  try {
    for await (const { workflowId, memo } of workflow.list({ query })) {
      const id = memo?.[storageIdMemo];
      if (typeof id === "string" && id !== found) return { connector: workflowId, id };
      if (++asked >= connectorsAsked) break;
    }
  } catch (error) {
    // A namespace that may not be searched is trusted, as with its search attributes: every activity asks again.
    if (!(error instanceof ServiceError)) throw error;
  }
  return undefined;
}
