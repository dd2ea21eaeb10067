import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startGroup } from "./process-group.ts";
import type { Exit, ProcessGroup } from "./process-group.ts";

interface ProcessOptions {
  /** The module to run: a path, or a URL such as `new URL("./main.ts", import.meta.url)`. A `.ts` one runs through tsx. */
  entry: URL | string;
  /** What errors call it. */
  name: string;
  args?: string[];
  /** Added to our own environment; undefined takes a variable away. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Everything it prints is appended here. */
  logFile?: string;
  /** Default true: wait for a line of JSON with `"ready": true` on its standard output. */
  waitForReady?: boolean;
  /** How long that may take; default 90 s: a worker run from the sources bundles its workflows first, and the machine may be busy. */
  readyTimeoutMs?: number;
}

type ReadyLine = Readonly<Record<string, unknown>>;

/** A Node process of this project's: a worker, or a stand-in. It leads its own group and does not outlive us. */
export interface Process {
  pid: number;
  /** The line by which it said that it is ready; empty when nobody waited for one. */
  ready: ReadyLine;
  /** The `url` of that line. */
  url: string | undefined;
  exited: Promise<Exit>;
  /** The last lines it printed. */
  output(): string[];
  /** Asks it to end (SIGTERM unless said otherwise), kills it after 25 s. Its exit code; null where a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** kill -9 to the whole group; resolves when it is gone. */
  kill(): Promise<void>;
  /** Suspends the whole group, as a laptop's lid or a stuck machine would, until `resume`. */
  pause(): void;
  resume(): void;
}

// A worker may take 20 s to settle what is in flight.
const stopGraceMs = 25_000;

/**
 * Starts a module in a Node process of its own. Its standard input is a pipe that stays open as long as we live.
 * Throws, with the last lines it printed, when it ends before it is ready or is not ready in time.
 */
export async function startProcess(options: ProcessOptions): Promise<Process> {
  const { entry, name, args = [], env, cwd, logFile, waitForReady = true, readyTimeoutMs = 90_000 } = options;
  const file = typeof entry === "string" ? entry : fileURLToPath(entry);
  // Resolved from here, because the child may run in a folder from which tsx cannot be seen.
  const loader = file.endsWith(".ts") ? ["--import", import.meta.resolve("tsx")] : [];
  const lines = new EventEmitter<{ ready: [ReadyLine] }>();
  const said = once(lines, "ready") as Promise<[ReadyLine]>;
  const group = await startGroup(process.execPath, [...loader, file, ...args], {
    cwd,
    env: { ...process.env, ...env },
    logFile,
    onStdoutLine: (line) => {
      const ready = parseReadyLine(line);
      if (ready !== undefined) {
        lines.emit("ready", ready);
      }
    },
  });
  const ready = waitForReady ? await untilReady(group, said, name, readyTimeoutMs) : {};
  return {
    pid: group.pid,
    ready,
    url: typeof ready.url === "string" ? ready.url : undefined,
    exited: group.exited,
    output: () => group.output(),
    stop: async (signal = "SIGTERM") => (await group.stop(signal, stopGraceMs)).code,
    kill: async () => {
      group.signalGroup("SIGKILL");
      await group.exited;
    },
    pause: () => group.signalGroup("SIGSTOP"),
    resume: () => group.signalGroup("SIGCONT"),
  };
}

async function untilReady(
  group: ProcessGroup,
  said: Promise<[ReadyLine]>,
  name: string,
  timeoutMs: number,
): Promise<ReadyLine> {
  const patience = new AbortController();
  const failed = Promise.race([
    group.exited.then(({ code, signal }) => `ended (${signal ?? `exit code ${code}`}) before it was ready`),
    delay(timeoutMs, `was not ready within ${timeoutMs} ms`, { signal: patience.signal }),
  ]).then((what) => {
    group.signalGroup("SIGKILL");
    throw new Error([`${name} ${what}. It printed last:`, ...group.output().slice(-20)].join("\n  "));
  });
  try {
    const [ready] = await Promise.race([said, failed]);
    return ready;
  } finally {
    // Its rejection has nobody to hear it once the race is over.
    failed.catch(() => undefined);
    patience.abort();
  }
}

function parseReadyLine(line: string): ReadyLine | undefined {
  if (!line.startsWith("{")) {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(line);
    return isReadyLine(value) ? value : undefined;
  } catch {
    // A line that only looks like JSON is ordinary output.
    return undefined;
  }
}

function isReadyLine(value: unknown): value is ReadyLine {
  return typeof value === "object" && value !== null && "ready" in value && value.ready === true;
}
