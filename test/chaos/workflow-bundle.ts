import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode } from "@temporalio/worker";

/** Beside the storage, where every worker of an arena finds it. */
export function bundlePath(storageUrl: string): string {
  return join(dirname(storageUrl.slice("file:".length)), "workflow-bundle.js");
}

/** Bundles the workflows once: an arena starts hundreds of workers, and bundling is half of what a start costs. */
export async function writeBundle(storageUrl: string): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../../src/workflows/index.ts", import.meta.url)),
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} },
  });
  await writeFile(bundlePath(storageUrl), code);
}
