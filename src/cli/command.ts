import type { Command } from "commander";
import { parseEnvironment, type Environment } from "../contracts/environment.ts";
import { createOutput, type Output } from "./output.ts";

interface CommandContext {
  environment: Environment;
  output: Output;
}

/** What a command does, given its options and then its arguments, which it declares as it declared them to commander. */
type CommandBody = (context: CommandContext, options: never, ...args: never[]) => Promise<void>;

/** Gives a command what all have: `--json`, and the environment, read before anything else so that bad variables are told at once. */
export function defineCommand(command: Command, body: CommandBody): void {
  command.option("--json", "print one JSON document for programs").action(async () => {
    const options = command.opts<{ json?: boolean }>();
    const environment = parseEnvironment(process.env);
    const output = createOutput(options.json ?? false);
    await body({ environment, output }, options as never, ...(command.processedArgs as never[]));
  });
}
