import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "@temporalio/client";
import type { JSONWebKeySet } from "jose";
import type { Process } from "../../sandbox/process.ts";
import { tenant } from "../../sandbox/stack-environment.ts";
import { startStack, type Stack } from "../../sandbox/stack.ts";
import { registerSearchAttributes } from "../../src/cli/search-attributes.ts";
import { createConnectors, type Connectors } from "../../src/client.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { TestConnector } from "./test-connector.ts";

interface StageOptions {
  /** Added to every worker's environment, such as shorter times. */
  env?: Record<string, string>;
  /** Temporal's state survives its server. */
  keepTemporal?: boolean;
}

/** A workflow service of our own on real sockets: a Temporal server, both stand-ins, and a client of them. */
export class Stage {
  readonly stack: Stack;
  readonly dir: string;
  readonly client: Client;
  readonly connectors: Connectors;
  readonly storage: Storage;
  readonly namespace: string;
  /** Shared by all namespaces, as storage and stand-ins are. */
  readonly #segments: { last: number };

  constructor(
    shared: Pick<Stage, "stack" | "dir" | "storage">,
    client: Client,
    sealingKeys: JSONWebKeySet,
    segments: { last: number },
  ) {
    this.stack = shared.stack;
    this.dir = shared.dir;
    this.storage = shared.storage;
    this.client = client;
    this.namespace = client.options.namespace;
    this.#segments = segments;
    // Two cores under a whole test run: a worker's answer may take its time.
    const allowedOrigins = [this.stack.brazeUrl];
    this.connectors = createConnectors({ client, sealingKeys, allowedOrigins, answerTimeoutMs: 20_000 });
  }

  /** A segment and a workspace that no other test has. */
  connector(): TestConnector {
    const segment = ++this.#segments.last;
    return new TestConnector(this, { tenant_slug: tenant, segment_id: segment }, `braze-key-of-${segment}`);
  }

  startWorker(env: Record<string, string> = {}): Promise<Process> {
    return this.stack.startWorker({ TEMPORAL_NAMESPACE: this.namespace, ...env });
  }

  /** The same server, stand-ins and storage under another namespace, for a test that kills its workers while others go on. */
  async inNamespace(name: string): Promise<Stage> {
    await this.temporal("operator namespace create", { namespace: name, retention: "1d" });
    const client = new Client({ connection: this.client.connection, namespace: name });
    await registerSearchAttributes(client);
    return new Stage(this, client, await publicKeys(this.stack), this.#segments);
  }

  /** Runs the `temporal` command line, as any operator or program may; answers what it printed. */
  async temporal(command: string, flags: Record<string, string>): Promise<string> {
    const { address, executable } = this.stack.temporal;
    const named = Object.entries({ address, namespace: this.namespace, ...flags });
    const args = [...command.split(" "), ...named.flatMap(([name, value]) => [`--${name}`, value])];
    const { stdout } = await promisify(execFile)(executable.path, args, { maxBuffer: 256 * 1024 * 1024 });
    return stdout;
  }

  async stop(): Promise<void> {
    await this.stack.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Starts everything but workers. */
export async function startStage({ env = {}, keepTemporal = false }: StageOptions = {}): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), "segops-braze-test-"));
  const stack = await startStack({ dir, env, keepTemporal });
  const storage = await openStorage(stack.env["STORAGE_URL"] ?? "");
  await stack.setup();
  return new Stage({ stack, dir, storage }, stack.client, await publicKeys(stack), { last: 0 });
}

async function publicKeys(stack: Stack): Promise<JSONWebKeySet> {
  return JSON.parse(await readFile(stack.env["SEALING_PUBLIC_KEYS_FILE"] ?? "", "utf8")) as JSONWebKeySet;
}
