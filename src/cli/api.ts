import type { Command } from "commander";
import { defineCommand, type CommandContext } from "./command.ts";

export function addApi(program: Command): void {
  const command = program
    .command("api")
    .description(
      "run the gateway: SegOps' Activations API, its webhook and the page, until SIGTERM or SIGINT",
    );
  // Loaded only here: every other command can do without a web server.
  const load = () => import("../api/server.ts");
  const run = async ({ environment }: CommandContext) => await (await load()).runApi(environment);
  defineCommand(command, run, async (variables) => (await load()).checkGatewaySecrets(variables));
}
