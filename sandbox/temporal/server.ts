import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Connection, isGrpcServiceError } from "@temporalio/client";
import { freePort } from "./free-port.ts";
import { startGroup } from "../process-group.ts";
import type { ProcessGroup } from "../process-group.ts";
import { findTemporalCli } from "./executable.ts";
import type { Executable } from "./executable.ts";

interface ServerOptions {
  /** Keeps everything in this SQLite file; without it all is gone when the server ends. */
  dbFile?: string;
  /** The gRPC port; a free one unless given. A restart that clients shall survive gives the former one. */
  port?: number;
  /** The web UI's port; without it there is no UI. */
  uiPort?: number;
  /** Created at start beside `default`, which always exists. */
  namespace?: string;
  /** Name → type, e.g. `{ RunOutcome: "Keyword" }`. They count only when the namespace is new in its file. */
  searchAttributes?: Readonly<Record<string, string>>;
  /** The server's warnings; without it they are dropped. */
  logFile?: string;
}

/** A Temporal server on this machine, for tests, the demo and `dev`; never for production. */
export interface TemporalServer {
  /** `127.0.0.1:<port>`, as TEMPORAL_ADDRESS wants it. */
  address: string;
  port: number;
  uiUrl: string | undefined;
  namespace: string;
  pid: number;
  executable: Executable;
  /** Ends it as an operator would; kills it after 10 s. */
  stop(): Promise<void>;
  /** kill -9: what is not in its file is lost. */
  kill(): Promise<void>;
}

const startTimeoutMs = 60_000;
const stopGraceMs = 10_000;

/** Starts `temporal server start-dev` on the loopback and waits until its namespace answers. */
export async function startTemporalServer(options: ServerOptions = {}): Promise<TemporalServer> {
  const executable = await findTemporalCli();
  if (options.dbFile !== undefined) {
    await mkdir(dirname(options.dbFile), { recursive: true });
  }
  const namespace = options.namespace ?? "default";
  const port = options.port ?? (await freePort());
  const address = `127.0.0.1:${port}`;
  const group = await startGroup(executable.path, serverArguments(options, namespace, port), {
    logFile: options.logFile,
  });
  try {
    await untilServing(group, port, namespace);
  } catch (error) {
    group.signalGroup("SIGKILL");
    await group.exited;
    throw new Error(`${(error as Error).message}\n${group.output().slice(-20).join("\n")}`, { cause: error });
  }
  return {
    address,
    port,
    uiUrl: options.uiPort === undefined ? undefined : `http://127.0.0.1:${options.uiPort}`,
    namespace,
    pid: group.pid,
    executable,
    stop: async () => {
      await group.stop("SIGTERM", stopGraceMs);
    },
    kill: async () => {
      group.signalGroup("SIGKILL");
      await group.exited;
    },
  };
}

function serverArguments(options: ServerOptions, namespace: string, port: number): string[] {
  const { dbFile, uiPort, searchAttributes = {}, logFile } = options;
  const base = ["server", "start-dev", "--ip", "127.0.0.1", "--port", String(port)];
  // It would ask a host outside for its newest version otherwise.
  base.push("--dynamic-config-value", "frontend.enableServerVersionCheck=false");
  const log = ["--log-level", logFile === undefined ? "error" : "warn"];
  const ui = uiPort === undefined ? ["--headless"] : ["--ui-port", String(uiPort), "--ui-ip", "127.0.0.1"];
  // WAL with synchronous=normal survives kill -9 of the server (not a power cut) at a fraction of the syncs.
  const pragmas = ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"];
  return [
    ...base,
    ...log,
    ...ui,
    ...(namespace === "default" ? [] : ["--namespace", namespace]),
    ...(dbFile === undefined ? [] : ["--db-filename", dbFile, ...pragmas]),
    ...Object.entries(searchAttributes).flatMap(([name, type]) => ["--search-attribute", `${name}=${type}`]),
  ];
}

async function untilServing(group: ProcessGroup, port: number, namespace: string): Promise<void> {
  const patience = AbortSignal.timeout(startTimeoutMs);
  const ended = new AbortController();
  const exited = group.exited.then(({ code, signal }) => {
    ended.abort();
    throw new Error(
      `The Temporal server ended (${signal ?? `exit code ${code}`}) before it served port ${port}.`,
    );
  });
  const stop = AbortSignal.any([patience, ended.signal]);
  try {
    await Promise.race([exited, pollNamespace(`127.0.0.1:${port}`, namespace, stop)]);
  } finally {
    ended.abort();
    exited.catch(() => undefined);
  }
}

async function pollNamespace(address: string, namespace: string, stop: AbortSignal): Promise<void> {
  while (!(await answers(address, namespace))) {
    if (stop.aborted) {
      throw new Error(`The Temporal server at ${address} did not answer within ${startTimeoutMs / 1000} s.`);
    }
    await delay(50);
  }
}

async function answers(address: string, namespace: string): Promise<boolean> {
  // A connection each time: one that failed to connect waits a second before it tries again.
  const connection = Connection.lazy({ address });
  try {
    await connection.withDeadline(Date.now() + 2_000, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return true;
  } catch (error) {
    if (isGrpcServiceError(error)) {
      return false;
    }
    throw error;
  } finally {
    await connection.close();
  }
}
