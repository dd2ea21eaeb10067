import { existsSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadClientConnectConfig } from "@temporalio/envconfig";
import {
  bundleWorkflowCode,
  NativeConnection,
  Runtime,
  TransportError,
  Worker,
  type NativeConnectionOptions,
  type WorkerOptions,
} from "@temporalio/worker";
import pLimit from "p-limit";
import type { Logger } from "pino";
import { createComputeActivities, createDeliverActivities } from "./activities/create-activities.ts";
import type { ActivityDeps } from "./activities/deps.ts";
import { createBraze } from "./braze/workspace.ts";
import { EnvironmentError, type Environment } from "./contracts/environment.ts";
import { searchAttributes, taskQueues } from "./contracts/temporal-names.ts";
import { createLedger } from "./ledger/ledger.ts";
import { createSegops } from "./segops/client.ts";
import { openStorage } from "./storage/open-storage.ts";
import { createLogger, sdkLogger } from "./worker/logger.ts";
import { readSecrets, type Secrets } from "./worker/secrets.ts";

/** In-flight batches settle within their 10 s; past this what is left is given up to another worker. */
const shutdownForceTime = "18s";

/**
 * Runs one worker process until it is told to stop (SIGINT, SIGTERM): it then takes no new work, settles what is in flight,
 * reports how far each part came and returns within 20 s.
 * Throws an `EnvironmentError` before anything is connected where a variable or a file it names is wrong.
 */
export async function runWorker(environment: Environment): Promise<void> {
  const log = createLogger(environment.LOG_LEVEL);
  const secrets = await readSecrets(environment);
  installRuntime(environment, log);
  const { connectionOptions, namespace = "default" } = loadClientConnectConfig();
  const connection = await connect(connectionOptions);
  // Whatever happens: an open connection would keep the process from ending.
  try {
    await requireSearchAttributes(connection, namespace);
    const deps = await createDeps(environment, secrets, log);
    try {
      const workers = await createWorkers({ connection, namespace }, deps);
      const { address } = connectionOptions;
      log.info({ ready: true, namespace, address, pid: process.pid }, "worker ready");
      await Promise.all(workers.map((worker) => worker.run()));
    } finally {
      await deps.braze.close();
      await deps.ledger.close();
    }
  } finally {
    await connection.close();
  }
  log.info("worker stopped");
}

/** The page of metrics is the only part that can fail: its address is taken, or is none of this machine's. */
function installRuntime(environment: Environment, log: Logger): void {
  const bindAddress = environment.METRICS_ADDRESS;
  try {
    Runtime.install({
      logger: sdkLogger(log),
      telemetryOptions: {
        logging: { filter: { core: "WARN", other: "WARN" }, forward: {} },
        metrics: { prometheus: { bindAddress } },
      },
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError([`METRICS_ADDRESS: metrics cannot be served at ${bindAddress}: ${why}`]);
  }
}

async function connect(options: NativeConnectionOptions): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(options);
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const address = options.address ?? "127.0.0.1:7233";
    throw new EnvironmentError([
      `TEMPORAL_ADDRESS: Temporal cannot be reached at ${address}; check the address, its TLS settings and that the server is up`,
    ]);
  }
}

async function createDeps(environment: Environment, secrets: Secrets, log: Logger): Promise<ActivityDeps> {
  const scratchDir = environment.SCRATCH_DIR ?? join(tmpdir(), "segops-braze");
  const storage = await openStorage(environment.STORAGE_URL);
  const threads = environment.DUCKDB_THREADS ?? availableParallelism();
  return {
    storage,
    ledger: await createLedger({
      storage,
      scratchDir,
      memoryLimit: environment.DUCKDB_MEMORY_LIMIT,
      threads,
    }),
    segops: createSegops({ baseUrl: environment.SEGOPS_API_URL, keyFor: secrets.segopsKeyFor }),
    braze: createBraze({ deliverWorkers: environment.DELIVER_WORKERS }),
    sealingKeys: secrets.sealingKeys,
    allowedOrigins: environment.ALLOWED_BRAZE_ORIGINS,
    scratchDir,
    partSeconds: environment.PART_SECONDS,
    quietWindowMs: environment.QUIET_WINDOW_SECONDS * 1000,
    pace: {
      lookIntervalMs: environment.RECONCILE_INTERVAL_SECONDS * 1000,
      runsPerHistory: environment.CONTINUE_AS_NEW_AFTER_RUNS,
      eventsPerHistory: environment.CONTINUE_AS_NEW_AFTER_EVENTS,
    },
    log,
    // Two at once fit the memory limit (reference: DuckDB and storage); a third waits.
    heavy: pLimit(2),
  };
}

/** One worker per task queue, so that a large diff never blocks sending. */
async function createWorkers(
  connected: Pick<WorkerOptions, "connection" | "namespace">,
  deps: ActivityDeps,
): Promise<Worker[]> {
  const common = { ...connected, shutdownForceTime } as const;
  return await Promise.all([
    Worker.create({ ...common, taskQueue: taskQueues.workflows, workflowBundle: await workflowBundle() }),
    Worker.create({
      ...common,
      taskQueue: taskQueues.compute,
      activities: createComputeActivities(deps),
      // Most of them wait for SegOps; what weighs takes a place in `heavy`.
      maxConcurrentActivityTaskExecutions: 100,
    }),
    Worker.create({
      ...common,
      taskQueue: taskQueues.deliver,
      activities: createDeliverActivities(deps),
      maxConcurrentActivityTaskExecutions: 32,
      // After kill -9 what was sent since the last heartbeat is sent again: at most about a second of it.
      maxHeartbeatThrottleInterval: "1s",
      defaultHeartbeatThrottleInterval: "1s",
    }),
  ]);
}

/** Built beforehand in dist; from the sources (tests) it is bundled now. */
async function workflowBundle(): Promise<{ codePath: string } | { code: string }> {
  const codePath = fileURLToPath(new URL("../workflow-bundle.js", import.meta.url));
  if (existsSync(codePath)) return { codePath };
  return await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("./workflows/index.ts", import.meta.url)),
  });
}

/** Without them every workflow task would fail; a namespace that may not be asked is trusted. */
async function requireSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const listed = await connection.operatorService.listSearchAttributes({ namespace }).catch(() => undefined);
  if (!listed) return;
  const missing = Object.values(searchAttributes)
    .map(({ name }) => name)
    .filter((name) => !(name in (listed.customAttributes ?? {})));
  if (missing.length === 0) return;
  throw new EnvironmentError([
    `TEMPORAL_NAMESPACE: the namespace ${namespace} lacks the search attributes ${missing.join(", ")}; run \`segops-braze setup\` once`,
  ]);
}
