import type { Command } from "commander";
import { readSecrets } from "../worker/secrets.ts";
import { defineCommand, type CommandContext } from "./command.ts";

export function addWorker(program: Command): void {
  const command = program
    .command("worker")
    .description("run a worker until SIGTERM or SIGINT; it then settles what is in flight and ends");
  const run = async ({ environment }: CommandContext) => {
    // Loaded only here: the native worker would cost every other command half a second.
    const { runWorker } = await import("../worker.ts");
    await runWorker(environment);
  };
  defineCommand(command, run, readSecrets);
}
