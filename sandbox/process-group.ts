import { spawn } from "node:child_process";
import type { ChildProcess, ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

/** How a process ended: an exit code, or the signal that ended it. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

interface GroupOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Everything it prints is appended here. */
  logFile?: string;
  onStdoutLine?: (line: string) => void;
}

/** A child process that leads a process group of its own and does not outlive us. */
export interface ProcessGroup {
  pid: number;
  exited: Promise<Exit>;
  /** The last lines it printed, of both streams. */
  output(): string[];
  /** Sends a signal to the whole group; nothing happens once it has ended. */
  signalGroup(signal: NodeJS.Signals): void;
  /** Asks the leader to end, kills the group when it takes longer than `graceMs`, and waits for the end. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<Exit>;
}

const keptLines = 200;
const running = new Set<number>();

process.on("exit", () => {
  for (const pid of running) {
    killGroup(pid, "SIGKILL");
  }
});

/** Starts `command` in a new process group. Throws when it cannot be started. */
export async function startGroup(
  command: string,
  args: string[],
  options: GroupOptions,
): Promise<ProcessGroup> {
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, detached: true, stdio: "pipe" });
  const lines = collectOutput(child, options);
  const closed = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  const { pid } = child;
  if (pid === undefined) {
    const [error] = await once(child, "error");
    throw error;
  }
  running.add(pid);
  const guard = startGuard(pid);
  child.once("exit", () => {
    // What the leader left behind goes too; it would hold the pipes open otherwise.
    killGroup(pid, "SIGKILL");
    running.delete(pid);
    guard.kill("SIGKILL");
  });
  const signalGroup = (signal: NodeJS.Signals): void => {
    if (running.has(pid)) {
      killGroup(pid, signal);
    }
  };
  return {
    pid,
    exited: closed,
    output: () => [...lines],
    signalGroup,
    async stop(signal, graceMs) {
      child.kill(signal);
      // A suspended process sees the signal only once it runs again.
      signalGroup("SIGCONT");
      const patience = new AbortController();
      const impatient = delay(graceMs, undefined, { signal: patience.signal }).then(
        () => signalGroup("SIGKILL"),
        () => undefined,
      );
      await Promise.race([closed, impatient]);
      patience.abort();
      return closed;
    },
  };
}

/**
 * A shell that kills the group when our end of its pipe closes, however we ended: an exit handler alone would leave
 * the group behind when we are killed, and a suspended child could not even read its own standard input.
 */
function startGuard(pid: number): ChildProcess {
  // Not `kill -KILL -- "-$1"`, which dash does not understand.
  const script = 'read -r _; kill -9 "-$1"';
  const guard = spawn("sh", ["-c", script, "guard", String(pid)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Neither the guard nor our end of its pipe is a reason for us to stay.
  guard.unref();
  (guard.stdin as Socket).unref();
  return guard;
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: it has ended already. macOS says EPERM for a group of which only a zombie is left.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ESRCH" && code !== "EPERM") {
      throw error;
    }
  }
}

function collectOutput(child: ChildProcessWithoutNullStreams, options: GroupOptions): string[] {
  const lines: string[] = [];
  const keep = (line: string): void => {
    lines.push(line);
    if (lines.length > keptLines) {
      lines.shift();
    }
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    keep(line);
    options.onStdoutLine?.(line);
  });
  createInterface({ input: child.stderr }).on("line", keep);
  if (options.logFile !== undefined) {
    mkdirSync(dirname(options.logFile), { recursive: true });
    const log = createWriteStream(options.logFile, { flags: "a" });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once("close", () => log.end());
  }
  // Writing to a child that has just ended is no news: its exit is what callers look at.
  child.stdin.on("error", () => undefined);
  return lines;
}
