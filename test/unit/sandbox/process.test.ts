import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startProcess } from "../../../sandbox/process.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "segops-braze-process-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function moduleOf(name: string, source: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, source);
  return file;
}

const sayReady = 'console.log(JSON.stringify({ ready: true, url: "http://127.0.0.1:1", pid: process.pid }));';
const stay = "setInterval(() => {}, 1000);";

/** Z, a zombie, has ended as well: nobody has fetched its exit code yet. */
async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "stat=", "-p", String(pid)]).catch(() => ({
    stdout: "",
  }));
  return stdout.trim() !== "" && !stdout.trim().startsWith("Z");
}

test("a TypeScript module runs and its ready line is handed over", async () => {
  const entry = await moduleOf(
    "ready.ts",
    `const words: string[] = ["not", "json"]; console.log(words.join(" ")); console.log('{"ready":false}');
     console.log("{ nor this"); ${sayReady} ${stay}`,
  );
  const child = await startProcess({ entry: pathToFileURL(entry), name: "a module" });
  expect(child.ready).toEqual({ ready: true, url: "http://127.0.0.1:1", pid: child.pid });
  expect(child.url).toBe("http://127.0.0.1:1");
  await child.kill();
});

test("arguments, added variables and the folder reach the process", async () => {
  const entry = await moduleOf(
    "surroundings.mjs",
    `console.log(JSON.stringify({ ready: true, args: process.argv.slice(2), given: process.env.GIVEN, gone: process.env.GONE,
       path: process.env.PATH !== undefined, cwd: process.cwd() })); ${stay}`,
  );
  vi.stubEnv("GONE", "inherited");
  const env = { GIVEN: "yes", GONE: undefined };
  const child = await startProcess({ entry, name: "a module", args: ["--port", "0"], env, cwd: "/" });
  vi.unstubAllEnvs();
  expect(child.ready).toEqual({ ready: true, args: ["--port", "0"], given: "yes", path: true, cwd: "/" });
  await child.kill();
});

test("stop lets the process end by itself and gives its exit code", async () => {
  const entry = await moduleOf(
    "graceful.mjs",
    `process.once("SIGTERM", () => process.exit(7)); ${sayReady} ${stay}`,
  );
  const child = await startProcess({ entry, name: "a module" });
  expect(await child.stop()).toBe(7);
  expect(await child.exited).toEqual({ code: 7, signal: null });
  expect(await child.stop(), "stopping what has ended").toBe(7);
});

test("a process that ends before it is ready fails the start with its exit code and last words", async () => {
  const entry = await moduleOf(
    "broken.mjs",
    'console.error("TEMPORAL_ADDRESS is missing"); process.exitCode = 2;',
  );
  await expect(startProcess({ entry, name: "the worker" })).rejects.toThrow(
    /the worker ended \(exit code 2\) before it was ready[^]*TEMPORAL_ADDRESS is missing/,
  );
});

test("a process that is not ready in time fails the start and is killed", async () => {
  const entry = await moduleOf("mute.mjs", `console.log("pid " + process.pid); ${stay}`);
  const started = startProcess({ entry, name: "the stand-in", readyTimeoutMs: 700 });
  const error: unknown = await started.catch((reason: unknown) => reason);
  expect(String(error)).toContain("the stand-in was not ready within 700 ms");
  const pid = Number(/pid (\d+)/.exec(String(error))?.[1]);
  await expect.poll(() => isAlive(pid)).toBe(false);
});

test("kill ends the process and those it started, without asking", async () => {
  const entry = await moduleOf(
    "parent.mjs",
    `import { spawn } from "node:child_process"; process.on("SIGTERM", () => {});
     const child = spawn("sleep", ["60"]); console.log(JSON.stringify({ ready: true, child: child.pid })); ${stay}`,
  );
  const parent = await startProcess({ entry, name: "a parent" });
  const grandchild = Number(parent.ready.child);
  expect(await isAlive(grandchild)).toBe(true);
  await parent.kill();
  expect(await parent.exited).toEqual({ code: null, signal: "SIGKILL" });
  await expect.poll(() => isAlive(grandchild)).toBe(false);
});

test("a paused process stands still until it is resumed, and even paused it can be stopped", async () => {
  const entry = await moduleOf(
    "ticking.mjs",
    `process.once("SIGTERM", () => process.exit(0)); ${sayReady} setInterval(() => console.log("tick"), 10);`,
  );
  const child = await startProcess({ entry, name: "a clock" });
  child.pause();
  const state = async (): Promise<string> =>
    (await promisify(execFile)("ps", ["-o", "stat=", "-p", String(child.pid)])).stdout.slice(0, 1);
  await expect.poll(state).toBe("T");
  const ticks = child.output().length;
  child.resume();
  await expect.poll(() => child.output().length).toBeGreaterThan(ticks);
  child.pause();
  expect(await child.stop()).toBe(0);
});

test("what it prints on both streams goes to the log file", async () => {
  const logFile = join(folder, "logs", "child.log");
  const entry = await moduleOf("talking.mjs", 'console.log("to stdout"); console.error("to stderr");');
  const child = await startProcess({ entry, name: "a talker", logFile, waitForReady: false });
  expect(child.ready).toEqual({});
  await child.exited;
  await expect.poll(() => readFile(logFile, "utf8")).toMatch(/to stdout[^]*to stderr|to stderr[^]*to stdout/);
  expect(child.output().sort()).toEqual(["to stderr", "to stdout"]);
});

test.each(["SIGKILL", "SIGINT", "exit"])(
  "a process does not outlive a parent ended by %s, not even a paused one",
  async (end) => {
    const child = await moduleOf("orphan.mjs", `${sayReady} ${stay}`);
    const launcher = new URL("../../../sandbox/process.ts", import.meta.url).href;
    const entry = await moduleOf(
      `launcher-${end}.ts`,
      `import { startProcess } from ${JSON.stringify(launcher)};
     void (async () => {
       const running = await startProcess({ entry: ${JSON.stringify(child)}, name: "running" });
       const paused = await startProcess({ entry: ${JSON.stringify(child)}, name: "paused" });
       paused.pause();
       console.log(JSON.stringify({ ready: true, children: [running.pid, paused.pid] }));
       process.once("SIGTERM", () => process.exit(0));
     })();`,
    );
    const parent = await startProcess({ entry, name: "the parent" });
    const children = parent.ready.children as number[];
    expect(await Promise.all(children.map(isAlive))).toEqual([true, true]);
    // Its own handler turns SIGTERM into an ordinary exit.
    process.kill(parent.pid, end === "exit" ? "SIGTERM" : end);
    await parent.exited;
    await expect.poll(() => Promise.all(children.map(isAlive))).toEqual([false, false]);
  },
);
