import type { ConfigEntry } from "../../../src/contracts/log.ts";
import type { Commit } from "../../../src/contracts/log.ts";
import { defaultOptions } from "../../../src/contracts/connector-config.ts";
import { ConnectorLog } from "../../../src/ledger/log.ts";
import type { Storage } from "../../../src/storage/storage.ts";

const at = "2026-05-02T14:30:00.000Z";

/** Puts a connector into storage as its workflow would have left it: settings, and runs with these outcomes. */
export async function loggedConnector(
  storage: Storage,
  segment_id: number,
  {
    tenant_slug = "acme",
    status = "active",
    outcomes = [] as Commit["outcome"][],
    change_id = "run/change",
  } = {},
): Promise<void> {
  const log = new ConnectorLog(storage, { tenant_slug, segment_id });
  await log.writeConfig({
    version: 1,
    kind: "config",
    number: 1,
    at,
    workflow_id: `braze/${tenant_slug}/${segment_id}`,
    change_id,
    change: "activated",
    status: status as ConfigEntry["status"],
    config: {
      rest_endpoint: "https://rest.iad-01.braze.com",
      api_key: "aaaa.bbbb.cccc.dddd.eeee",
      ...defaultOptions(segment_id),
    },
  });
  for (const [index, outcome] of outcomes.entries()) {
    const failed = outcome === "failed";
    await log.putCommit({
      version: 1,
      kind: "commit",
      number: index + 1,
      workflow_id: `braze/${tenant_slug}/${segment_id}/run/${index + 1}`,
      run_id: `run-${index + 1}`,
      at: `2026-05-02T14:${String(index + 10)}:00.000Z`,
      outcome,
      reason: "recompute",
      config_number: 1,
      recompute: { computed_at: at, member_count: 100 + index, segment_name: "High LTV Buyers" },
      dropped: null,
      channels: [],
      counts: { entered: 1, exited: 0, rejected: 0, unknown: 0, waiting: 0, requests: 1, resent: 0 },
      started_at: at,
      synced: failed ? null : { at, computed_at: at },
      error: failed ? { code: "braze_key_rejected", message: "Braze answered 401" } : null,
    });
  }
}
