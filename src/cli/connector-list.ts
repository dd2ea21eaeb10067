import { Option, type Command } from "commander";
import type { ListedConnector, ListFilter } from "../client.ts";
import { connectorStatuses } from "../contracts/view.ts";
import { tenantArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { withConnectors } from "./session.ts";
import { table } from "./table.ts";

export function addList(parent: Command): void {
  const command = parent
    .command("list")
    .description("list the connectors; needs no worker")
    .option("--tenant <slug>", "only those of one tenant", tenantArgument)
    .addOption(new Option("--status <status>", "only those of one status").choices(connectorStatuses));
  defineCommand(command, async ({ environment, output }, { tenant, status }: ListFilter) => {
    const connectors = await withConnectors(environment, (all) => all.list({ tenant, status }));
    output.result({ connectors }, () => listText(connectors));
  });
}

function listText(connectors: ListedConnector[]): string {
  if (connectors.length === 0) return "No connectors.";
  const rows = connectors.map((connector) => [
    `${connector.tenant_slug}/${connector.segment}`,
    connector.status,
    connector.last_outcome,
    connector.last_synced_at,
    connector.rejected,
  ]);
  return table(["CONNECTOR", "STATUS", "LAST RUN", "LAST SYNCED", "REJECTED"], rows);
}
