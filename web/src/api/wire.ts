import type { ConnectorStatus, ConnectorView } from "../../../src/contracts/view.ts";
import type { RunSummary } from "../../../src/contracts/run.ts";

/** What the gateway answers beyond a connector's view: the envelopes around it. */

export interface Page<Item> {
  count: number;
  next: string | null;
  previous: string | null;
  results: Item[];
}

export interface ActivationsFilter {
  /** From 1 on. */
  page: number;
  /** "" for any. */
  status: ConnectorStatus | "";
}

/** Whom the key belongs to, and where Temporal's own page is, if the operator said so. */
export interface Session {
  tenant_slug: string;
  role: "viewer" | "member" | "admin" | "owner";
  temporal_ui_url?: string | null;
  namespace?: string | null;
}

/** A run of the log; one that is open has no outcome yet, and neither counts. */
export type LoggedRun =
  | RunSummary
  | { number: number; workflow_id: string; outcome: null; started_at: string };

export interface NewActivation {
  segment: number | string;
  connector_type: "braze";
  config: Record<string, unknown>;
}

/** What PATCH takes: any of it. */
export interface ActivationChange {
  status?: "active" | "inactive";
  config?: Record<string, unknown>;
}

/** Actions that the connector carries out in its own time. */
export type Action = { name: "sync" | "resync" } | { name: "approve-removal"; digest: string };

export type { ConnectorStatus, ConnectorView };
