// Installs the Python tools of the tests into the user's cache folder, once: `npm run python-tools`. Needs python3 with venv
// (Debian: python3-venv) and the way to PyPI; nothing is taken whose hash is not pinned.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { completeMark, findPythonTools, pythonToolsFolder, requirementsFile } from "./python-tools.ts";

if (!findPythonTools()) install(pythonToolsFolder());
console.log(`Python tools: ${findPythonTools()}`);

function install(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  run("python3", ["-m", "venv", folder]);
  const pinned = ["--require-hashes", "--only-binary=:all:", "--requirement", requirementsFile];
  run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", "--no-input", ...pinned]);
  writeFileSync(completeMark(folder), "");
}

function run(command: string, args: string[]): void {
  const env = { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_ROOT_USER_ACTION: "ignore" };
  execFileSync(command, args, { stdio: "inherit", env });
}
