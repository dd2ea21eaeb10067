import type { Command } from "commander";
import type { ConnectorKey } from "../client.ts";
import { connectorArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { connectorCard } from "./connector-card.ts";
import { withConnectors } from "./session.ts";

export function addShow(parent: Command): void {
  const command = parent
    .command("show")
    .description("show a connector: status, channels, current and last run, settings")
    .argument("<tenant/segment>", "the connector, such as acme/7", connectorArgument);
  defineCommand(command, async ({ environment, output }, _options, key: ConnectorKey) => {
    const view = await withConnectors(environment, (connectors) => connectors.describe(key));
    output.result(view, () => connectorCard(view));
  });
}
