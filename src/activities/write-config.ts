import { openKey } from "../braze/sealed-key.ts";
import {
  configChangeSchema,
  fieldIssues,
  mergeConfig,
  showConfig,
  type ConnectorConfig,
  type FieldIssue,
} from "../contracts/connector-config.ts";
import { connectorWorkflowId } from "../contracts/connector-id.ts";
import { CodedError } from "../contracts/errors.ts";
import type { ConfigEntry } from "../contracts/log.ts";
import type { WriteConfigInput, WrittenConfig } from "../contracts/run.ts";
import type { ActivityDeps } from "./deps.ts";

/**
 * Promise: a change of the settings is in the log once, whoever else writes at the same time.
 * In: what is to change. Out: the settings as they stand, the key masked. Attempt 2 finds the entry by its `change_id`.
 * Errors: config_invalid with every field at once, connector_not_found, log_unreadable, storage_unavailable.
 */
export function createWriteConfig(deps: ActivityDeps) {
  return async (input: WriteConfigInput): Promise<WrittenConfig> => {
    const log = deps.ledger.log(input.key);
    for (;;) {
      const latest = await log.latestConfig();
      if (latest?.change_id === input.changeId) return written(latest);
      const entry = await nextEntry(deps, input, latest);
      if ((await log.writeConfig(entry)) === "created") return written(entry);
    }
  };
}

async function nextEntry(
  deps: ActivityDeps,
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
  return { ...head, change, status: statusAfter(change, latest), config };
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
  }
}

/** The change laid over what is stored. A removed connector's settings are gone: it is configured as a new one. */
async function changedConfig(
  { allowedOrigins, sealingKeys }: ActivityDeps,
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
  return new CodedError(
    "config_invalid",
    issues.map((issue) => `${issue.field}: ${issue.message}`).join("; "),
  );
}

function written({ number, config }: ConfigEntry): WrittenConfig {
  return { number, shown: showConfig(config) };
}
