import type { Command } from "commander";
import { EnvironmentError, parseEnvironment, type Environment } from "../contracts/environment.ts";
import { createOutput, type Output } from "./output.ts";

export interface CommandContext {
  environment: Environment;
  output: Output;
}

/** What a command does, given its options and then its arguments, which it declares as it declared them to commander. */
type CommandBody = (context: CommandContext, options: never, ...args: never[]) => Promise<void>;

/** What a command reads beside the environment's own values. Throws an `EnvironmentError` for what is wrong with it. */
type Needs = (variables: Record<string, string | undefined>) => Promise<unknown>;

/**
 * Gives a command what all have: `--json`, and the environment, read before anything else so that bad variables, and what else it
 * `needs`, are told at once.
 */
export function defineCommand(command: Command, body: CommandBody, needs?: Needs): void {
  command.option("--json", "print one JSON document for programs").action(async () => {
    const options = command.opts<{ json?: boolean }>();
    const environment = await readEnvironment(needs);
    const output = createOutput(options.json ?? false);
    await body({ environment, output }, options as never, ...(command.processedArgs as never[]));
  });
}

async function readEnvironment(needs: Needs = async () => undefined): Promise<Environment> {
  const parse = async () => parseEnvironment(process.env);
  const [environment, needed] = await Promise.allSettled([parse(), needs(process.env)]);
  if (environment.status === "fulfilled" && needed.status === "fulfilled") return environment.value;
  const failed = [environment, needed].filter((result) => result.status === "rejected");
  throw new EnvironmentError(failed.flatMap(({ reason }) => problemsOf(reason)));
}

function problemsOf(error: unknown): string[] {
  if (error instanceof EnvironmentError) return error.problems;
  throw error;
}
