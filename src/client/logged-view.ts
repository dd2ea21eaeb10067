import { committedRun } from "../activities/committed-run.ts";
import { openedLog } from "../activities/open-log.ts";
import type { ConnectorKey } from "../contracts/connector-id.ts";
import type { OpenedLog, RunSummary } from "../contracts/run.ts";
import type { ConnectorView } from "../contracts/view.ts";
import type { ConnectorLog, LoggedRun } from "../ledger/log.ts";
import { newConnectorState, transition } from "../workflows/connector-state.ts";
import { connectorView } from "../workflows/connector-view.ts";

/** No view turns on it; the workers have their own. */
const pace: OpenedLog["pace"] = { lookIntervalMs: 3_600_000, runsPerHistory: 100 };

/**
 * A connector's view from its log alone, as its workflow would show it after reading the same log: no worker, no Temporal. What only
 * the workflow knows (the run under way) is not in it. Undefined where none was ever created, or it was removed.
 * Errors: log_unreadable, storage_unavailable.
 */
export async function loggedView(log: ConnectorLog, key: ConnectorKey): Promise<ConnectorView | undefined> {
  const opened = await openedLog(log, pace);
  if (!opened.config || opened.config.status === "removed") return undefined;
  const state = transition(newConnectorState(undefined), { type: "opened", log: opened, at: 0 });
  return connectorView(key, state);
}

/** A run as `last_run` tells the last one; of one that is open only the beginning is known. */
export type ShownRun =
  | RunSummary
  | { number: number; workflow_id: string; outcome: null; started_at: string };

export function shownRun({ number, plan, commit }: LoggedRun): ShownRun {
  if (commit) return committedRun(commit).summary;
  return { number, workflow_id: plan?.workflow_id ?? "", outcome: null, started_at: plan?.at ?? "" };
}
