// Compiles src and sandbox to dist, bundles the workflows, so that a worker starts on prebuilt code, and builds the page.
import { execFileSync } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");

rmSync(join(root, "dist"), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
chmodSync(join(root, "dist/src/cli.js"), 0o755);

const { bundleWorkflowCode } = await import("@temporalio/worker");
const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };
const { code } = await bundleWorkflowCode({
  workflowsPath: join(root, "dist/src/workflows/index.js"),
  logger: quiet,
});
writeFileSync(join(root, "dist/workflow-bundle.js"), code);

const { build } = await import("vite");
await build({ configFile: join(root, "web/vite.config.ts"), logLevel: "warn" });
