import { readFile } from "node:fs/promises";
import { Client, Connection } from "@temporalio/client";
import type { JSONWebKeySet } from "jose";
import type { Process } from "../../sandbox/process.ts";
import { startStack, type Stack } from "../../sandbox/stack.ts";
import { createConnectors, type Connectors } from "../../src/client.ts";

/** Everything real but Braze and SegOps, which are stand-ins; and one worker at a time. */
export interface RecordingStage {
  stack: Stack;
  client: Client;
  connectors: Connectors;
  /** Starts the worker, or another in its place once the former has ended. */
  startWorker(env?: Record<string, string>): Promise<void>;
  stopWorker(): Promise<void>;
  /** kill -9 */
  killWorker(): Promise<void>;
  close(): Promise<void>;
}

/** Parts end early, so that some are seen to go on in a second execution. */
const workerEnv = {
  PART_SECONDS: "5",
  NODE_OPTIONS: `--import=${new URL("./nameless-machine.mjs", import.meta.url).href}`,
};

export async function openRecordingStage(dir: string): Promise<RecordingStage> {
  const stack = await startStack({ dir });
  const setup = await stack.run(["setup"]);
  if (setup.code !== 0) throw new Error(`setup failed:\n${setup.output}`);
  const connection = await Connection.connect({ address: stack.temporal.address });
  const client = new Client({ connection, identity: "recording" });
  const keysFile = stack.env["SEALING_PUBLIC_KEYS_FILE"] ?? "";
  const connectors = createConnectors({
    client,
    sealingKeys: JSON.parse(await readFile(keysFile, "utf8")) as JSONWebKeySet,
    allowedOrigins: [stack.brazeUrl],
    // While no worker lives, an update waits for the next one.
    answerTimeoutMs: 30_000,
  });
  let worker: Process | undefined;
  return {
    stack,
    client,
    connectors,
    startWorker: async (env = {}) => {
      worker = await stack.startWorker({ ...workerEnv, ...env });
    },
    stopWorker: async () => {
      await worker?.stop();
    },
    killWorker: async () => {
      await worker?.kill();
    },
    close: async () => {
      await connection.close();
      await stack.stop();
    },
  };
}
