import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../../sandbox/temporal/cache.ts";

/** Every Python package by version and hash. */
export const requirementsFile = fileURLToPath(new URL("requirements.txt", import.meta.url));

/** Where this release's tools are, once installed: one folder for each set of pins, so that a raised one is fetched anew. */
export function pythonToolsFolder(env: NodeJS.ProcessEnv = process.env): string {
  const pins = createHash("sha256").update(readFileSync(requirementsFile)).digest("hex").slice(0, 12);
  return join(cacheFolder(env), `python-${pins}`);
}

/** Written when everything is there: a folder without it was left half done. */
export function completeMark(folder: string): string {
  return join(folder, "complete");
}

/** The folder of SegOps' client, its command line and schemathesis; undefined where they are not installed. */
export function findPythonTools(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folder = pythonToolsFolder(env);
  return existsSync(completeMark(folder)) ? join(folder, "bin") : undefined;
}

const missing = "the Python tools are not installed: npm run python-tools";

/** Whether tests that need the tools are left out, said in one line. In CI nothing is left out. */
export function skipsWithoutPythonTools(what: string): boolean {
  if (findPythonTools() || process.env["CI"]) return false;
  console.log(`${what} is skipped, ${missing}.`);
  return true;
}

/** Throws where the tools are not installed. */
export function pythonTools(): string {
  const bin = findPythonTools();
  if (!bin) throw new Error(missing);
  return bin;
}
