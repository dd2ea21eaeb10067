import { existsSync } from "node:fs";
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
import { openLedger } from "./ledger/open-ledger.ts";
import { createSegops } from "./segops/client.ts";
import { openStorage } from "./storage/open-storage.ts";
import { identifyStorage } from "./worker/known-storage.ts";
import { createLogger, sdkLogger } from "./worker/logger.ts";
import { readSecrets, type Secrets } from "./worker/secrets.ts";

/** In-flight batches settle within their 10 s; past this what is left is given up to another worker. */
const shutdownForceTime = "18s";

/** What a worker makes for itself unless it is given another: tests have a storage that fails, and bundle once for many workers. */
interface WorkerParts {
  openStorage?: typeof openStorage;
  workflowBundle?: WorkflowBundle;
}

type WorkflowBundle = { codePath: string } | { code: string };

/**
 * Runs one worker process until it is told to stop (SIGINT, SIGTERM): it then takes no new work, settles what is in flight,
 * reports how far each part came and returns within 20 s.
 * Throws an `EnvironmentError` before anything is connected where a variable or a file it names is wrong.
 */
export async function runWorker(environment: Environment, parts: WorkerParts = {}): Promise<void> {
  const log = createLogger(environment.LOG_LEVEL);
  const secrets = await readSecrets(environment);
  installRuntime(environment, log);
  const { connectionOptions, namespace = "default" } = loadClientConnectConfig();
  const connection = await connect(connectionOptions);
  // Whatever happens: an open connection would keep the process from ending.
  try {
    await requireSearchAttributes(connection, namespace);
    const storage = await (parts.openStorage ?? openStorage)(environment.STORAGE_URL);
    const storageId = await identifyStorage(storage, { connection, namespace });
    const deps = await createDeps({ environment, secrets, log, storage, storageId });
    try {
      const bundle = parts.workflowBundle ?? (await builtBundle());
      const workers = await createWorkers({ connection, namespace }, deps, bundle);
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

type Given = Pick<ActivityDeps, "storage" | "storageId" | "log"> & {
  environment: Environment;
  secrets: Secrets;
};

async function createDeps({ environment, secrets, log, storage, storageId }: Given): Promise<ActivityDeps> {
  return {
    ...(await openLedger(environment, storage)),
    storageId,
    segops: createSegops({ baseUrl: environment.SEGOPS_API_URL, keyFor: secrets.segopsKeyFor }),
    braze: createBraze({ deliverWorkers: environment.DELIVER_WORKERS }),
    sealingKeys: secrets.sealingKeys,
    allowedOrigins: environment.ALLOWED_BRAZE_ORIGINS,
    partSeconds: environment.PART_SECONDS,
    quietWindowMs: environment.QUIET_WINDOW_SECONDS * 1000,
    verifySampleUsers: environment.VERIFY_SAMPLE_USERS,
    pace: {
      lookIntervalMs: environment.RECONCILE_INTERVAL_SECONDS * 1000,
      runsPerHistory: environment.CONTINUE_AS_NEW_AFTER_RUNS,
    },
    cleanUpAfterMs: environment.CLEAN_UP_AFTER_DAYS * 86_400_000,
    log,
    // Two at once fit the memory limit (reference: DuckDB and storage); a third waits.
    heavy: pLimit(2),
  };
}

/** One worker per task queue, so that a large diff never blocks sending. */
async function createWorkers(
  connected: Pick<WorkerOptions, "connection" | "namespace">,
  deps: ActivityDeps,
  workflowBundle: WorkflowBundle,
): Promise<Worker[]> {
  const common = { ...connected, shutdownForceTime } as const;
  return await Promise.all([
    Worker.create({ ...common, taskQueue: taskQueues.workflows, workflowBundle }),
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
async function builtBundle(): Promise<WorkflowBundle> {
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
