import type { ConnectorKey } from "../contracts/connector-id.ts";
import type { ShownConfig } from "../contracts/connector-config.ts";
import { maskedKey } from "../contracts/connector-config.ts";
import type { ConnectorStatus, ConnectorView } from "../contracts/view.ts";
import type { ConnectorState } from "./connector-state.ts";
import type { Status } from "./connector-status.ts";

/** The connector as every surface shows it. */
export function connectorView(key: ConnectorKey, state: ConnectorState): ConnectorView {
  const error = shownError(state);
  return {
    id: key.segment_id,
    tenant_slug: key.tenant_slug,
    segment: key.segment_id,
    segment_name: state.segmentName,
    connector_type: "braze",
    status: shownStatus(state.status),
    config: state.config ?? ({ api_key: maskedKey } as ShownConfig),
    last_synced_at: state.lastSyncedAt,
    last_error: error?.message ?? "",
    last_error_code: error?.code ?? "",
    member_count: state.memberCount,
    channels: state.channels,
    pending_removal: state.pendingRemoval,
    current_run: state.currentRun,
    last_run: state.lastRun,
  };
}

/** SegOps knows three words; what it never asked for is told in the nearest of them. */
function shownStatus(status: Status): ConnectorStatus {
  if (status === "active" || status === "error") return status;
  return status === "blocked" ? "error" : "inactive";
}

function shownError(state: ConnectorState) {
  if (state.blockedBy) return state.blockedBy;
  return state.status === "error" || state.lastRun?.outcome === "partial" ? state.lastRun?.error : null;
}

/** What the Temporal UI shows of a connector that is open: Markdown, served by query, never stored. */
export function connectorDetails(key: ConnectorKey, state: ConnectorState): string {
  const view = connectorView(key, state);
  const run = view.current_run;
  const last = view.last_run;
  return [
    `**${view.segment_name || `Segment ${view.segment}`}** → ${hostOf(view.config)} · ${state.status}`,
    run
      ? `Run ${run.number} since ${run.started_at} (${run.reason}); its progress is on its own row`
      : waitingLine(state),
    last
      ? `Run ${last.number}: ${last.outcome}, ${last.entered} entered, ${last.exited} exited, ${last.rejected} rejected, ended ${last.finished_at}`
      : "No run yet",
    ...view.channels.map(
      (channel) =>
        `\`${channel.channel}\`: ${channel.delivered} delivered, ${channel.rejected} rejected, ${channel.unknown} unknown, ${channel.waiting} waiting`,
    ),
    ...(view.pending_removal
      ? [
          `**${view.pending_removal.users} exits are held** for a person: approve \`${view.pending_removal.digest}\``,
        ]
      : []),
    ...(view.last_error ? [`**${view.last_error_code}**: ${view.last_error}`] : []),
    ...(state.ignoredSignals ? [`${state.ignoredSignals} signals were no recompute and were ignored`] : []),
  ].join("\n\n");
}

function waitingLine(state: ConnectorState): string {
  if (state.status === "none") return "No connector was ever created under this id";
  return state.status === "active" || state.status === "error" ? "Waiting for a recompute" : "Not delivering";
}

function hostOf(config: ShownConfig): string {
  return config.rest_endpoint?.replace(/^https?:\/\//, "") ?? "no endpoint";
}
