import { fileURLToPath } from "node:url";
import { encodeSearchAttributeIndexedValueType } from "@temporalio/common/lib/search-attributes.js";
import { TestWorkflowEnvironment } from "@temporalio/testing";
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from "@temporalio/worker";
import { searchAttributes, taskQueues } from "../../src/contracts/temporal-names.ts";
import { findTemporalCli, findTestServer } from "../../sandbox/temporal/executable.ts";
import { FakeActivities } from "./fake-activities.ts";

/** A server, the workflows' own code and the fake activities on their three queues. */
export interface WorkflowStage {
  env: TestWorkflowEnvironment;
  fakes: FakeActivities;
  stop(): Promise<void>;
}

// Failing activities are what these tests are made of: each would be a screenful.
Runtime.install({
  logger: new DefaultLogger("ERROR"),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: "ERROR", other: "ERROR" }) } },
});

/** Bundled once per process: it takes seconds. */
export function bundleWorkflows(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../../src/workflows/index.ts", import.meta.url)),
    // The reason of a failed bundling goes to the logger alone.
    logger: {
      trace() {},
      debug() {},
      info() {},
      log() {},
      warn: console.warn,
      error: console.error,
    },
  });
}

interface StageOptions {
  /** 0 replays every history at every task. */
  maxCachedWorkflows?: number;
}

/** On the time-skipping server: hours pass in milliseconds (`env.sleep`), for all workflows at once. */
export async function startTimeSkipping(
  bundle: WorkflowBundleWithSourceMap,
  options: StageOptions = {},
): Promise<WorkflowStage> {
  const { path } = await findTestServer();
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: "existing-path", path } },
  });
  await addSearchAttributes(env);
  return await startWorkers(env, bundle, options);
}

/** On the dev server, for what the time-skipping one does otherwise than a real one. */
export async function startDevServer(bundle: WorkflowBundleWithSourceMap): Promise<WorkflowStage> {
  const { path } = await findTemporalCli();
  const env = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: "existing-path", path },
      searchAttributes: Object.values(searchAttributes),
    },
  });
  return await startWorkers(env, bundle, {});
}

async function startWorkers(
  env: TestWorkflowEnvironment,
  workflowBundle: WorkflowBundleWithSourceMap,
  options: StageOptions,
): Promise<WorkflowStage> {
  const fakes = new FakeActivities();
  const shared = { connection: env.nativeConnection, namespace: env.namespace };
  // A fake that waits to be cancelled learns of it by its next heartbeat.
  const quick = { ...shared, maxHeartbeatThrottleInterval: "50ms", defaultHeartbeatThrottleInterval: "50ms" };
  const workers = await Promise.all([
    Worker.create({ ...shared, taskQueue: taskQueues.workflows, workflowBundle, ...options }),
    Worker.create({ ...quick, taskQueue: taskQueues.compute, activities: fakes.compute() }),
    Worker.create({ ...quick, taskQueue: taskQueues.deliver, activities: fakes.deliver() }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  const stop = async () => {
    for (const worker of workers) worker.shutdown();
    await running;
    await env.teardown();
  };
  return { env, fakes, stop };
}

async function addSearchAttributes(env: TestWorkflowEnvironment): Promise<void> {
  const types: Parameters<typeof env.connection.operatorService.addSearchAttributes>[0]["searchAttributes"] =
    {};
  for (const { name, type } of Object.values(searchAttributes)) {
    const encoded = encodeSearchAttributeIndexedValueType(type);
    if (encoded !== undefined) types[name] = encoded;
  }
  await env.connection.operatorService.addSearchAttributes({
    namespace: env.namespace ?? "default",
    searchAttributes: types,
  });
}
