import type { RunSummary } from "../../../src/contracts/run.ts";
import type { ConnectorView } from "../../../src/contracts/view.ts";

/** A connector that never ran, with what a test changes of it. */
export function connectorView(changed: Partial<ConnectorView> = {}): ConnectorView {
  return {
    id: 7,
    tenant_slug: "acme",
    segment: 7,
    segment_name: "High LTV Buyers",
    connector_type: "braze",
    status: "active",
    config: {
      rest_endpoint: "https://rest.iad-01.braze.com",
      api_key: "***",
      attribute_name: "segops_segment_7",
      exit_mode: "remove",
      create_missing_users: true,
      max_removal_percent: 30,
      requests_per_second: 1000,
      batch_size: 75,
    },
    last_synced_at: null,
    last_error: "",
    last_error_code: "",
    member_count: null,
    channels: [],
    pending_removal: null,
    current_run: null,
    last_run: null,
    ...changed,
  };
}

export function runSummary(number: number, changed: Partial<RunSummary> = {}): RunSummary {
  return {
    number,
    workflow_id: `braze/acme/7/run/${number}`,
    outcome: "clean",
    reason: "sync",
    entered: 12,
    exited: 3,
    rejected: 1,
    unknown: 0,
    waiting: 0,
    requests: 2,
    resent: 0,
    computed_at: "2026-05-02T14:30:00Z",
    member_count: 3482,
    segment_name: "High LTV Buyers",
    started_at: "2026-05-02T14:31:00Z",
    finished_at: "2026-05-02T14:32:00Z",
    error: null,
    ...changed,
  };
}
