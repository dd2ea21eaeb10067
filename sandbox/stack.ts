import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSealingKeys } from "../src/braze/sealed-key.ts";
import { BrazeControl } from "./braze/control.ts";
import { startProcess, type Process } from "./process.ts";
import { SegopsControl } from "./segops/control.ts";
import { freePort } from "./temporal/free-port.ts";
import { startTemporalServer, type TemporalServer } from "./temporal/server.ts";

/** The tenant of the demo, `dev` and tests, and its key at the SegOps stand-in. */
export const tenant = "acme";
const segopsKey = "sk_sandbox_0123456789";

interface StackOptions {
  /** Everything is kept in this folder. */
  dir: string;
  /** The Temporal UI's port; without it there is no UI. */
  uiPort?: number;
  /** Keeps Temporal's state in the folder, so that a server that is killed may come back. */
  keepTemporal?: boolean;
  /** Added to the processes' environment, such as shorter times. */
  env?: Record<string, string>;
}

/** All the real parts around our own processes: Temporal, Braze and SegOps stand-ins, keys, folders. */
export interface Stack {
  temporal: TemporalServer;
  braze: BrazeControl;
  brazeUrl: string;
  segops: SegopsControl;
  /** What CONTRACT's environment needs to be for a worker, a client or the command line. */
  env: Record<string, string>;
  /** Runs `segops-braze` with these arguments: a worker, a command. */
  start(name: string, args: string[], env?: Record<string, string>): Promise<Process>;
  startWorker(env?: Record<string, string>): Promise<Process>;
  /** Runs a command to its end and answers what it printed. */
  run(args: string[], env?: Record<string, string>): Promise<{ code: number | null; output: string }>;
  stop(): Promise<void>;
}

export async function startStack(options: StackOptions): Promise<Stack> {
  await mkdir(options.dir, { recursive: true });
  const temporal = await startTemporalServer({
    ...(options.keepTemporal ? { dbFile: join(options.dir, "temporal.db") } : {}),
    ...(options.uiPort ? { uiPort: options.uiPort } : {}),
    logFile: join(options.dir, "temporal.log"),
  });
  const [braze, segops] = await Promise.all([
    startStandIn("braze", options.dir),
    startStandIn("segops", options.dir),
  ]);
  const control = new SegopsControl(urlOf(segops));
  await control.putTenant(tenant, { api_key: segopsKey });
  const env = await environment(options, temporal, urlOf(braze), control.apiUrl);
  const processes: Process[] = [];
  const start: Stack["start"] = async (name, args, more = {}) => {
    const started = await startProcess({
      entry: sibling("../src/cli"),
      name,
      args,
      env: { ...env, ...more },
      logFile: join(options.dir, `${name}.log`),
    });
    processes.push(started);
    return started;
  };
  return {
    temporal,
    braze: new BrazeControl(urlOf(braze)),
    brazeUrl: urlOf(braze),
    segops: control,
    env,
    start,
    startWorker: async (more = {}) =>
      await start("worker", ["worker"], { METRICS_ADDRESS: `127.0.0.1:${await freePort()}`, ...more }),
    run: (args, more = {}) => runCommand(args, { ...env, ...more }),
    stop: async () => {
      await Promise.all(processes.map((started) => started.stop()));
      await Promise.all([braze.stop(), segops.stop(), temporal.stop()]);
    },
  };
}

async function runCommand(
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const process = await startProcess({
    entry: sibling("../src/cli"),
    name: args.join(" "),
    args,
    env,
    waitForReady: false,
  });
  const { code } = await process.exited;
  return { code, output: process.output().join("\n") };
}

function startStandIn(name: "braze" | "segops", dir: string): Promise<Process> {
  const entry = sibling(`./${name}/main`);
  return startProcess({
    entry,
    name,
    args: ["--port", "0", "--exit-with-stdin"],
    logFile: join(dir, `${name}.log`),
  });
}

/** Our own modules are .ts in the sources and .js in dist; a URL in a string is not rewritten. */
function sibling(path: string): URL {
  return new URL(`${path}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
}

function urlOf(standIn: Process): string {
  if (!standIn.url) throw new Error("a stand-in did not say where it listens");
  return standIn.url;
}

async function environment(
  { dir, env = {} }: StackOptions,
  temporal: TemporalServer,
  brazeUrl: string,
  segopsUrl: string,
): Promise<Record<string, string>> {
  const { privateKeys, publicKeys } = await createSealingKeys();
  const files = {
    SEALING_KEYS_FILE: join(dir, "sealing-keys.json"),
    SEALING_PUBLIC_KEYS_FILE: join(dir, "sealing-public-keys.json"),
    SEGOPS_API_KEYS_FILE: join(dir, "segops-keys.json"),
  };
  const secret = { mode: 0o600 };
  await writeFile(files.SEALING_KEYS_FILE, JSON.stringify(privateKeys), secret);
  await writeFile(files.SEALING_PUBLIC_KEYS_FILE, JSON.stringify(publicKeys));
  await writeFile(files.SEGOPS_API_KEYS_FILE, JSON.stringify({ [tenant]: segopsKey }), secret);
  return {
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    STORAGE_URL: `file:${join(dir, "storage")}`,
    SCRATCH_DIR: join(dir, "scratch"),
    SEGOPS_API_URL: segopsUrl,
    ALLOWED_BRAZE_ORIGINS: brazeUrl,
    ...files,
    ...env,
  };
}
