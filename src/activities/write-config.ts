import { z } from "zod";
import { openKey } from "../braze/sealed-key.ts";
import {
  configChangeSchema,
  fieldIssues,
  issueWords,
  mergeConfig,
  showConfig,
  type ConnectorConfig,
  type FieldIssue,
} from "../contracts/connector-config.ts";
import { connectorName, connectorWorkflowId, type ConnectorKey } from "../contracts/connector-id.ts";
import { CodedError } from "../contracts/errors.ts";
import type { ConfigEntry, PendingRemoval } from "../contracts/log.ts";
import type { WriteConfigInput, WrittenConfig } from "../contracts/run.ts";
import { areFilesKept } from "../ledger/kept-files.ts";
import type { ConnectorLog } from "../ledger/log.ts";
import type { ActivityDeps } from "./deps.ts";

type WriteConfigDeps = Pick<ActivityDeps, "ledger" | "allowedOrigins" | "sealingKeys">;

/** So many entries another writer may have slipped in. */
const entriesLookedBack = 10;
/** A held removal is looked for in so many of the newest runs, as long as their files are kept. */
const runsLookedBack = 1000;

/**
 * Promise: a change of the settings is in the log once, whoever else writes at the same time.
 * In: what is to change. Out: the settings as they stand, the key masked. Attempt 2 finds the entry by its `change_id`.
 * Errors: config_invalid with every field at once, connector_not_found, connector_exists (to a creation alone), log_unreadable,
 * storage_unavailable.
 */
export function createWriteConfig(deps: WriteConfigDeps) {
  return async (input: WriteConfigInput): Promise<WrittenConfig> => {
    const log = deps.ledger.log(input.key);
    for (;;) {
      const latest = await log.latestConfig();
      const done = await alreadyWritten(log, input.changeId, latest);
      if (done) return written(done);
      if (input.create) refuseWhereThereIsOne(input.key, latest);
      const entry = await nextEntry(deps, input, latest);
      if ((await log.writeConfig(entry)) === "created") return written(entry);
    }
  };
}

/** Entries of other writers may have followed ours before its answer was lost. */
async function alreadyWritten(
  log: ConnectorLog,
  changeId: string,
  latest: ConfigEntry | undefined,
): Promise<ConfigEntry | undefined> {
  for (let entry = latest, back = 0; entry && back < entriesLookedBack; back++) {
    if (entry.change_id === changeId) return entry;
    entry = entry.number > 1 ? await log.config(entry.number - 1) : undefined;
  }
  return undefined;
}

/** Each look comes before the number after it is taken, so that of two creations at once the second sees the first. */
function refuseWhereThereIsOne(key: ConnectorKey, latest: ConfigEntry | undefined): void {
  if (!latest || latest.status === "removed") return;
  throw new CodedError("connector_exists", `${connectorName(key)}, ${latest.status}`);
}

async function nextEntry(
  deps: WriteConfigDeps,
  input: WriteConfigInput,
  latest: ConfigEntry | undefined,
): Promise<ConfigEntry> {
  const { change, changeId, workflowId, at } = input;
  const config = change === "configured" ? await changedConfig(deps, input, latest) : latest?.config;
  if (!config) throw new CodedError("connector_not_found");
  const number = (latest?.number ?? 0) + 1;
  const head = {
    version: 1,
    kind: "config",
    number,
    at,
    workflow_id: workflowId,
    change_id: changeId,
  } as const;
  const approved = change === "removal_approved" ? await approvedRemoval(deps, input) : null;
  return { ...head, change, status: statusAfter(change, latest), config, ...(approved ? { approved } : {}) };
}

/**
 * The exits that a digest names, as some run of late held them: a newer one holding others does not void the approval. One whose files
 * a clean-up may have taken is refused, so that no guard ever misses them; one whose file is lost before that stops the next run.
 */
async function approvedRemoval(
  { ledger }: Pick<ActivityDeps, "ledger">,
  { key, config, at }: WriteConfigInput,
): Promise<PendingRemoval> {
  const parsed = z.object({ digest: z.string() }).safeParse(config);
  if (!parsed.success)
    throw invalid([{ field: "digest", message: "is required: the digest that the connector shows" }]);
  const runs = await ledger.log(key).runs({ limit: runsLookedBack });
  const held = runs
    .map(({ commit }) => commit)
    .filter((commit, runsSince) => commit && areFilesKept(commit, { runsSince, at }))
    .map((commit) => commit?.pending_removal)
    .find((pending) => pending?.digest === parsed.data.digest);
  if (held) return held;
  throw invalid([
    { field: "digest", message: "names no removal that is held; look at the connector for the present one" },
  ]);
}

function statusAfter(change: ConfigEntry["change"], latest: ConfigEntry | undefined): ConfigEntry["status"] {
  switch (change) {
    case "configured":
      return latest?.status === "active" ? "active" : "inactive";
    case "activated":
      return "active";
    case "deactivated":
      return "inactive";
    case "removing":
    case "removed":
      return change;
    case "removal_approved":
      return latest?.status ?? "inactive";
  }
}

/** The change laid over what is stored. A removed connector's settings are gone: it is configured as a new one. */
async function changedConfig(
  { allowedOrigins, sealingKeys }: WriteConfigDeps,
  { key, config: change }: WriteConfigInput,
  latest: ConfigEntry | undefined,
): Promise<ConnectorConfig> {
  const parsed = configChangeSchema(allowedOrigins).safeParse(change);
  if (!parsed.success) throw invalid(fieldIssues(parsed.error));
  const stored = latest?.status === "removed" ? undefined : latest?.config;
  const merged = mergeConfig(stored, parsed.data, key.segment_id);
  if ("issues" in merged) throw invalid(merged.issues);
  const { rest_endpoint, api_key } = merged.config;
  const sealedFor = { connector: connectorWorkflowId(key), host: new URL(rest_endpoint).host };
  await openKey(api_key, sealedFor, sealingKeys).catch((error: unknown) => {
    const why = error instanceof CodedError ? error.detail : "unreadable";
    throw invalid([
      { field: "api_key", message: `the workers cannot open it (${why}); seal it with their public keys` },
    ]);
  });
  return merged.config;
}

function invalid(issues: FieldIssue[]): CodedError {
  return new CodedError("config_invalid", issueWords(issues));
}

function written({ number, config }: ConfigEntry): WrittenConfig {
  return { number, shown: showConfig(config) };
}
