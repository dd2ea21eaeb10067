import type { Command } from "commander";
import { countArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";

interface DevOptions {
  dir: string;
  uiPort: number;
}

export function addDev(program: Command): void {
  const command = program
    .command("dev")
    .description(
      "run a Temporal server, stand-ins for Braze and SegOps, a worker and the gateway on this machine",
    )
    .option("--dir <dir>", "folder in which everything is kept", "data/dev")
    .option("--ui-port <port>", "port of the Temporal UI", countArgument(65_535), 8233);
  defineCommand(command, async (_context, { dir, uiPort }: DevOptions) => {
    // By address: the sandbox is no part of what the service is made of.
    const entry = new URL(`../../sandbox/dev${import.meta.url.slice(-3)}`, import.meta.url);
    const { runDev } = (await import(entry.href)) as { runDev: (options: DevOptions) => Promise<void> };
    await runDev({ dir, uiPort });
  });
}
