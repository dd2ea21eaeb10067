import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Client } from "@temporalio/client";
import type { JSONWebKeySet } from "jose";
import type { Process } from "../../sandbox/process.ts";
import { tenant } from "../../sandbox/stack-environment.ts";
import { startStack, type Stack } from "../../sandbox/stack.ts";
import { startTemporalServer, type TemporalServer } from "../../sandbox/temporal/server.ts";
import { createConnectors, type Connectors } from "../../src/client.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { TestConnector } from "./test-connector.ts";

interface StageOptions {
  /** Added to every worker's environment, such as shorter times. */
  env?: Record<string, string>;
  /** Temporal's state survives its server. */
  keepTemporal?: boolean;
  /** A worker of another make than the command line's. */
  workerEntry?: URL;
  /** How long an answer of a worker is waited for: 20 s, so that one that is lost with a killed worker is asked for again. */
  answerTimeoutMs?: number;
}

/** What a stage's client is given beside the stack. */
interface Terms {
  storage: Storage;
  sealingKeys: JSONWebKeySet;
  answerTimeoutMs: number;
}

/** A workflow service of our own on real sockets: a Temporal server, both stand-ins, and a client of them. */
export class Stage {
  readonly stack: Stack;
  readonly dir: string;
  readonly client: Client;
  readonly connectors: Connectors;
  readonly storage: Storage;
  #lastSegment = 0;
  #temporal: TemporalServer | undefined;

  constructor(stack: Stack, dir: string, { storage, ...terms }: Terms) {
    this.stack = stack;
    this.dir = dir;
    this.storage = storage;
    this.client = stack.client;
    const allowedOrigins = [stack.brazeUrl];
    this.connectors = createConnectors({ client: stack.client, allowedOrigins, ...terms });
  }

  /** A segment and a workspace that no other test has. */
  connector(brazeKey?: string): TestConnector {
    const segment = ++this.#lastSegment;
    return new TestConnector(
      this,
      { tenant_slug: tenant, segment_id: segment },
      brazeKey ?? `braze-key-of-${segment}`,
    );
  }

  startWorker(env: Record<string, string> = {}): Promise<Process> {
    return this.stack.startWorker(env);
  }

  /** kill -9 to Temporal's server. Answers what starts a new one on the same port and file, which `keepTemporal` keeps. */
  async killTemporal(): Promise<() => Promise<void>> {
    const { port } = this.stack.temporal;
    await (this.#temporal ?? this.stack.temporal).kill();
    const [dbFile, logFile] = [join(this.dir, "temporal.db"), join(this.dir, "temporal.log")];
    return async () => {
      this.#temporal = await startTemporalServer({ port, dbFile, logFile });
    };
  }

  /** Runs the `temporal` command line, as any operator or program may; answers what it printed. */
  async temporal(command: string, flags: Record<string, string>): Promise<string> {
    const { address, executable } = this.stack.temporal;
    const named = Object.entries({ address, ...flags });
    const args = [...command.split(" "), ...named.flatMap(([name, value]) => [`--${name}`, value])];
    const { stdout } = await promisify(execFile)(executable.path, args, { maxBuffer: 256 * 1024 * 1024 });
    return stdout;
  }

  async stop(): Promise<void> {
    await this.stack.stop();
    await this.#temporal?.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Starts everything but workers. */
export async function startStage({
  env = {},
  answerTimeoutMs = 20_000,
  ...how
}: StageOptions = {}): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), "segops-braze-test-"));
  const stack = await startStack({ dir, env, ...how });
  const storage = await openStorage(stack.env["STORAGE_URL"] ?? "");
  await stack.setup();
  return new Stage(stack, dir, { storage, sealingKeys: await publicKeys(stack), answerTimeoutMs });
}

async function publicKeys(stack: Stack): Promise<JSONWebKeySet> {
  return JSON.parse(await readFile(stack.env["SEALING_PUBLIC_KEYS_FILE"] ?? "", "utf8")) as JSONWebKeySet;
}
