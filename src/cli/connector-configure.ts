import type { Command } from "commander";
import type { ConnectorKey } from "../client.ts";
import { checkSettings } from "../client/settings.ts";
import { connectorArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { connectorCard } from "./connector-card.ts";
import { UsageError } from "./failure.ts";
import { requireSealingKeys, withConnectors } from "./session.ts";
import { addSettingsOptions, settingsFrom, type SettingsOptions } from "./settings-options.ts";

export function addConfigure(parent: Command): void {
  const command = addSettingsOptions(parent.command("configure"))
    .description("change settings; what is not named stays as it is")
    .argument("<tenant/segment>", "the connector, such as acme/7", connectorArgument)
    .option(
      "--unset <name...>",
      "return settings to their defaults; segment_id: no subscription group any more",
    );
  defineCommand(command, async ({ environment, output }, options: SettingsOptions, key: ConnectorKey) => {
    const change = await settingsFrom(options);
    if (Object.keys(change).length === 0)
      throw new UsageError("nothing to change; name a setting, see --help");
    checkSettings(change, { isNew: false, allowedOrigins: environment.ALLOWED_BRAZE_ORIGINS });
    if (change.api_key !== undefined) requireSealingKeys(environment);
    const view = await withConnectors(environment, (connectors) => connectors.configure(key, change));
    output.result(view, () => `Configured.\n\n${connectorCard(view)}`);
  });
}
