import { CommanderError } from "commander";
import { ClientError, CodedError } from "../client.ts";
import { EnvironmentError } from "../contracts/environment.ts";

/** A command that was not carried out for a reason of its own. */
export class CommandError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "CommandError";
    this.code = code;
  }
}

/** A command line that means nothing: exit status 2. */
export class UsageError extends Error {}

export interface Failure {
  code: string;
  message: string;
  exitStatus: 1 | 2;
}

/** What to tell and how to end: 1 refused or failed, 2 wrong usage. Undefined where commander has ended as it should, as `--help` does. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return undefined;
    const help = error.code === "commander.help" ? "a command is missing" : usageMessage(error.message);
    return { code: "usage", message: help, exitStatus: 2 };
  }
  if (error instanceof UsageError) return { code: "usage", message: error.message, exitStatus: 2 };
  return { ...codeAndMessage(error), exitStatus: 1 };
}

/** `--api-key=SECRET` is no option of ours, and commander would repeat all of it. */
function usageMessage(message: string): string {
  return message.replace(/^error: /, "").replace(/'(--?[\w-]+)=.*?'/gs, "'$1'");
}

function codeAndMessage(error: unknown): { code: string; message: string } {
  if (error instanceof CommandError || error instanceof CodedError || error instanceof ClientError) {
    return { code: error.code, message: error.message };
  }
  if (error instanceof EnvironmentError) return { code: "environment_invalid", message: error.message };
  return { code: "unexpected", message: error instanceof Error ? deepestMessage(error) : String(error) };
}

/** The SDK wraps what the server said in words that say less. */
function deepestMessage(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${deepestMessage(error.cause)}` : error.message;
}
