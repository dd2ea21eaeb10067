import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../../src/cli.ts", import.meta.url));

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface RunOptions {
  /** Beside PATH, all that the command sees of the environment. */
  env?: Record<string, string>;
  /** Its standard input; ends at once without it. */
  input?: string;
}

/** Runs `segops-braze` in a process of its own, without a terminal, to its end. */
export async function runCli(args: string[], { env = {}, input = "" }: RunOptions = {}): Promise<Ran> {
  const { PATH } = process.env;
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), entry, ...args], {
    // A home without profiles: the tester's own Temporal settings are not ours.
    env: { PATH, HOME: import.meta.dirname, ...env },
  });
  child.stdin.end(input);
  const [[code], stdout, stderr] = await Promise.all([
    once(child, "close") as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}
