import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from "@temporalio/worker";
import type { ArchivedHistory } from "./archive.ts";

// What a worker logs of a history that does not fit is in its error too.
Runtime.install({
  logger: new DefaultLogger("ERROR", () => undefined),
  telemetryOptions: { logging: { filter: { core: "ERROR", other: "ERROR" } } },
});

/** Bundles the workflows of a folder, as a worker does. */
export async function bundleWorkflows(indexFile: string): Promise<{ code: string }> {
  // The bundler tells only its logger what was wrong with the code.
  return await bundleWorkflowCode({ workflowsPath: indexFile, logger: new DefaultLogger("ERROR") });
}

/** Replays histories; answers those that did not pass, by name. */
export async function replay(
  workflowBundle: { code: string },
  histories: readonly ArchivedHistory[],
): Promise<Map<string, Error>> {
  const failed = new Map<string, Error>();
  // The answers come in the histories' order. Their ids would not do as names: each version has a `braze/acme/1`.
  const names = histories.map(({ name }) => name).values();
  const results = Worker.runReplayHistories(
    { workflowBundle },
    histories.map(({ workflowId, history }) => ({ workflowId, history })),
  );
  for await (const { error } of results) {
    const name = names.next().value as string;
    if (error) failed.set(name, error);
  }
  return failed;
}
