import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program of somebody else's to its end, at most 60 s. */
export async function runProgram(
  command: string,
  args: string[],
  { env = {}, input = "" }: { env?: Record<string, string>; input?: string } = {},
): Promise<Ran> {
  const child = spawn(command, args, { env: { ...process.env, ...env }, timeout: 60_000 });
  child.stdin.end(input);
  const closed = once(child, "close") as Promise<[number | null]>;
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, stdout, stderr };
}
