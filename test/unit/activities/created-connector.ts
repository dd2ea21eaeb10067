import type { ConnectorKey } from "../../../src/contracts/connector-id.ts";
import { restEndpoint, type LedgerWorld } from "../ledger/ledger-world.ts";

/** A connector with settings and no run yet. */
export async function createdConnector({ ledger }: LedgerWorld, segment_id: number): Promise<ConnectorKey> {
  const key = { tenant_slug: "acme", segment_id };
  await ledger.log(key).writeConfig({
    version: 1,
    kind: "config",
    number: 1,
    at: "2026-05-02T14:32:05.000Z",
    workflow_id: "braze/acme/7",
    change_id: "first",
    change: "configured",
    status: "active",
    config: {
      rest_endpoint: restEndpoint,
      api_key: "e30.a.b.c.d",
      attribute_name: "segops_segment_7",
      exit_mode: "remove",
      create_missing_users: true,
      max_removal_percent: 30,
      requests_per_second: 1000,
      batch_size: 75,
    },
  });
  return key;
}
