import type { Command } from "commander";
import { defineCommand } from "./command.ts";

export function addWorker(program: Command): void {
  const command = program
    .command("worker")
    .description("run a worker until SIGTERM or SIGINT; it then settles what is in flight and ends");
  defineCommand(command, async ({ environment }) => {
    // Loaded only here: the native worker would cost every other command half a second.
    const { runWorker } = await import("../worker.ts");
    await runWorker(environment);
  });
}
