import type { Command } from "commander";
import { defineCommand, type CommandContext } from "./command.ts";

export function addApi(program: Command): void {
  const command = program
    .command("api")
    .description(
      "run the gateway: SegOps' Activations API, its webhook and the page, until SIGTERM or SIGINT",
    );
  defineCommand(command, async ({ environment }: CommandContext) => {
    // Loaded only here: every other command can do without a web server.
    const { runApi } = await import("../api/server.ts");
    await runApi(environment);
  });
}
