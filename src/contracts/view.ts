import type { ShownConfig } from "./connector-config.ts";
import type { Verification } from "./log.ts";
import type { RunSummary } from "./run.ts";

/** A connector as every surface shows it: the workflow's query, the updates' answers, the command line, HTTP. */
export interface ConnectorView {
  /** One Braze connector per segment, so its id is the segment's, within the tenant. */
  id: number;
  tenant_slug: string;
  segment: number;
  segment_name: string;
  connector_type: "braze";
  status: ConnectorStatus;
  config: ShownConfig;
  /** ISO 8601; null before the first sync. */
  last_synced_at: string | null;
  last_error: string;
  last_error_code: string;
  member_count: number | null;
  channels: ChannelView[];
  pending_removal: PendingRemovalView | null;
  current_run: CurrentRun | null;
  last_run: RunSummary | null;
}

/** Exits that wait for a person: `approveRemoval` with the digest lets exactly these go. */
export interface PendingRemovalView {
  digest: string;
  users: number;
}

export const connectorStatuses = ["inactive", "active", "error"] as const;
export type ConnectorStatus = (typeof connectorStatuses)[number];

export interface ChannelView {
  channel: string;
  delivered: number;
  rejected: number;
  unknown: number;
  waiting: number;
}

export interface CurrentRun {
  number: number;
  workflow_id: string;
  reason: string;
  /** The recompute that it was begun for, if one was signalled. */
  computed_at: string | null;
  started_at: string;
  /** From the run's own `progress` query, where it could be asked. */
  progress?: RunProgress;
}

/** How far a run is. Users are counted per channel and direction, so a user in two channels counts twice. */
export interface RunProgress {
  phase: RunPhase;
  users_done: number;
  users_total: number;
  users_per_second: number;
  eta_seconds: number | null;
  last_error: string;
}

export const runPhases = [
  "fetching membership",
  "verifying",
  "comparing",
  "tracking entered users",
  "unsetting exited users",
  "updating the subscription group",
  "committing",
  "done",
] as const;
export type RunPhase = (typeof runPhases)[number];

/** `500 users read back, 2 of them wrong in Braze`, and what kept it from reading more. */
export function verificationLine({ checked, wrong, skipped }: Verification): string {
  const found = `${checked} users read back, ${wrong} of them wrong in Braze`;
  if (skipped === null) return found;
  const why = skippedReason(skipped) ?? skipped;
  return checked === 0 ? `skipped: ${why}` : `${found}; then stopped: ${why}`;
}

/** What an error code means for a verification alone, where its own words say less. */
export function skippedReason(code: string): string | undefined {
  return code === "braze_permission_missing"
    ? "the key may not read users (permission users.export.ids)"
    : undefined;
}
