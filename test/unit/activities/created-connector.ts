import type { ConnectorKey } from "../../../src/contracts/connector-id.ts";
import { firstConfig, type LedgerWorld } from "../ledger/ledger-world.ts";

/** A connector with settings and no run yet. */
export async function createdConnector({ ledger }: LedgerWorld, segment_id: number): Promise<ConnectorKey> {
  const key = { tenant_slug: "acme", segment_id };
  await ledger.log(key).writeConfig(firstConfig);
  return key;
}
