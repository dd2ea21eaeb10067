import type { Command } from "commander";
import type { ConnectorKey } from "../client.ts";
import { checkSettings } from "../client/settings.ts";
import { connectorArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { connectorCard } from "./connector-card.ts";
import { requireSealingKeys, withConnectors } from "./session.ts";
import { addSettingsOptions, settingsFrom, type SettingsOptions } from "./settings-options.ts";

export function addCreate(parent: Command): void {
  const command = addSettingsOptions(parent.command("create"))
    .description("create a connector, inactive unless --activate")
    .argument("<tenant/segment>", "the connector, such as acme/7", connectorArgument)
    .option("--activate", "begin to deliver at once");
  defineCommand(
    command,
    async ({ environment, output }, options: SettingsOptions & { activate?: boolean }, key: ConnectorKey) => {
      const settings = await settingsFrom(options);
      checkSettings(settings, { isNew: true, allowedOrigins: environment.ALLOWED_BRAZE_ORIGINS });
      requireSealingKeys(environment);
      const view = await withConnectors(environment, (connectors) =>
        connectors.create(key, settings, { activate: options.activate }),
      );
      output.result(view, () => `Created.\n\n${connectorCard(view)}`);
    },
  );
}
