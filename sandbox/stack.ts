import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { registerSearchAttributes } from "../src/cli/search-attributes.ts";
import { createConnectors, type Connectors } from "../src/client.ts";
import { BrazeControl } from "./braze/control.ts";
import { startProcess, type Process } from "./process.ts";
import { Releases } from "./releases.ts";
import { SegopsControl } from "./segops/control.ts";
import {
  segopsKey,
  stackEnvironment,
  tenant,
  webhookSecret,
  type StackEnvironment,
} from "./stack-environment.ts";
import { freePort } from "./temporal/free-port.ts";
import { startTemporalServer, type TemporalServer } from "./temporal/server.ts";
import { startWebhookRelay } from "./webhook-relay.ts";

interface StackOptions {
  /** Everything is kept in this folder. */
  dir: string;
  /** The Temporal UI's port; without it there is no UI. */
  uiPort?: number;
  /** Ports that must stay what they are; a free one for each that is left out. */
  ports?: { temporal?: number; braze?: number; segops?: number; gateway?: number };
  /** Keeps Temporal's state in the folder, so that a server that is killed may come back. */
  keepTemporal?: boolean;
  /** Added to the processes' environment, such as shorter times. */
  env?: Record<string, string>;
  /** The module that `startWorker` runs as a worker; the command line's `worker` when left out. */
  workerEntry?: URL;
}

/** All the real parts around our own processes: Temporal, Braze and SegOps stand-ins, keys, folders. */
export interface Stack {
  temporal: TemporalServer;
  /** To look at Temporal from this process. */
  client: Client;
  /** What SegOps' TypeScript code would call. */
  connectors: Connectors;
  braze: BrazeControl;
  brazeUrl: string;
  segops: SegopsControl;
  segopsUrl: string;
  /** What CONTRACT's environment needs to be for a worker, a client or the command line. */
  env: StackEnvironment;
  /** Registers the search attributes, as `segops-braze setup` does. */
  setup(): Promise<void>;
  /** From now on the SegOps stand-in's webhooks reach the connectors as signals. Errors: whatever a signal could not be sent for. */
  relayWebhooks(onError: (error: unknown) => void): Promise<void>;
  /** Runs `segops-braze` with these arguments: a worker, a command. */
  start(name: string, args: string[], env?: Record<string, string>): Promise<Process>;
  startWorker(env?: Record<string, string>): Promise<Process>;
  /** From now on the SegOps stand-in's webhooks reach the gateway, signed. Answers it and its address. */
  startGateway(env?: Record<string, string>): Promise<Process & { url: string }>;
  /** Runs a command to its end and answers what it printed. */
  run(args: string[], env?: Record<string, string>): Promise<{ code: number | null; output: string }>;
  /** Ends everything, workers first and as an operator would. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  kill(): Promise<void>;
}

/** Starts everything but a worker. What had been started is ended again where something else does not start. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const releases = new Releases();
  try {
    return await assemble(options, releases);
  } catch (error) {
    await releases.all("kill");
    throw error;
  }
}

async function assemble(options: StackOptions, releases: Releases): Promise<Stack> {
  const { dir, ports = {} } = options;
  await mkdir(dir, { recursive: true });
  const [temporal, brazeUrl, segopsUrl] = await Promise.all([
    startTemporal(options, releases),
    startStandIn("braze", dir, ports.braze, releases),
    startStandIn("segops", dir, ports.segops, releases),
  ]);
  const segops = new SegopsControl(segopsUrl);
  await segops.putTenant(tenant, { api_key: segopsKey });
  const connection = await Connection.connect({ address: temporal.address });
  await releases.add(() => connection.close());
  const client = new Client({ connection, namespace: temporal.namespace });
  const { env, publicKeys } = await stackEnvironment({
    dir,
    temporal,
    brazeUrl,
    segopsApiUrl: segops.apiUrl,
    more: {
      ...(temporal.uiUrl ? { TEMPORAL_UI_URL: temporal.uiUrl } : {}),
      ...options.env,
    },
  });
  const connectors = createConnectors({ client, sealingKeys: publicKeys, allowedOrigins: [brazeUrl] });
  const start = async (name: string, args: string[], more: Record<string, string> = {}, entry = cli) => {
    const logFile = join(dir, `${name}.log`);
    const started = await startProcess({ entry, name, args, env: { ...env, ...more }, logFile });
    await releases.add((how) => started[how]());
    return started;
  };
  return {
    temporal,
    client,
    connectors,
    braze: new BrazeControl(brazeUrl),
    brazeUrl,
    segops,
    segopsUrl,
    env,
    setup: async () => void (await registerSearchAttributes(client)),
    relayWebhooks: async (onError) => {
      const relay = await startWebhookRelay((body) => connectors.recompute(body), onError);
      await releases.add(() => relay.close());
      await segops.putTenant(tenant, { api_key: segopsKey, webhook: { url: relay.url } });
    },
    start,
    startWorker: async (more = {}) => {
      const METRICS_ADDRESS = `127.0.0.1:${await freePort()}`;
      return await start("worker", ["worker"], { METRICS_ADDRESS, ...more }, options.workerEntry);
    },
    startGateway: async (more = {}) => {
      const gateway = await start("gateway", ["api"], { HTTP_PORT: String(ports.gateway ?? 0), ...more });
      const { url } = gateway;
      if (!url) throw new Error("the gateway did not say where it listens");
      const webhook = { url: `${url}/api/webhooks/segops/`, secret: webhookSecret };
      await segops.putTenant(tenant, { api_key: segopsKey, webhook });
      return { ...gateway, url };
    },
    run: (args, more = {}) => runCommand(args, { ...env, ...more }),
    stop: () => releases.all("stop"),
    kill: () => releases.all("kill"),
  };
}

const cli = sibling("../src/cli");

async function runCommand(
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const process = await startProcess({
    entry: cli,
    name: args.join(" "),
    args,
    env,
    waitForReady: false,
  });
  const { code } = await process.exited;
  return { code, output: process.output().join("\n") };
}

async function startTemporal(options: StackOptions, releases: Releases): Promise<TemporalServer> {
  const { dir, ports = {} } = options;
  const temporal = await startTemporalServer({
    ...(options.keepTemporal ? { dbFile: join(dir, "temporal.db") } : {}),
    ...(options.uiPort ? { uiPort: options.uiPort } : {}),
    ...(ports.temporal ? { port: ports.temporal } : {}),
    logFile: join(dir, "temporal.log"),
  });
  await releases.add((how) => temporal[how]());
  return temporal;
}

/** Answers where it listens. */
async function startStandIn(
  name: "braze" | "segops",
  dir: string,
  port: number | undefined,
  releases: Releases,
): Promise<string> {
  const standIn = await startProcess({
    entry: sibling(`./${name}/main`),
    name: `the ${name} stand-in`,
    args: ["--port", String(port ?? 0), "--exit-with-stdin"],
    logFile: join(dir, `${name}.log`),
  });
  await releases.add((how) => standIn[how]());
  if (!standIn.url) throw new Error(`the ${name} stand-in did not say where it listens`);
  return standIn.url;
}

/** Our own modules are .ts in the sources and .js in dist; a URL in a string is not rewritten. */
function sibling(path: string): URL {
  return new URL(`${path}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
}
