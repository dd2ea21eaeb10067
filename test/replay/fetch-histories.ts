import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { historyToJSON, type History } from "@temporalio/common/lib/proto-utils.js";
import { workflowTypes } from "../../src/contracts/temporal-names.ts";
import type { RecordedConnector } from "./recorded-connector.ts";

/** File name → text, for one scenario: the connector's histories over continue-as-new, and one per run. */
export type RecordedHistories = Map<string, string>;

export async function fetchHistories(connector: RecordedConnector): Promise<RecordedHistories> {
  const recorded: RecordedHistories = new Map();
  const chain = await fetchChain(connector);
  for (const [index, history] of chain.entries())
    recorded.set(`${workflowTypes.connector}-${index + 1}.json`, historyToJSON(history));
  for (let number = 1; number <= connector.lastNumber; number++)
    recorded.set(
      `${workflowTypes.syncRun}-${number}.json`,
      historyToJSON(await connector.run(number).fetchHistory()),
    );
  return recorded;
}

/** The same as Temporal's own command line exports it, byte for byte: what an operator would send. */
export async function exportByCommandLine(connector: RecordedConnector): Promise<RecordedHistories> {
  const { executable, address } = connector.stage.stack.temporal;
  const show = async (workflowId: string) => {
    const which = ["--workflow-id", workflowId, "--address", address];
    const { stdout } = await promisify(execFile)(
      executable.path,
      ["workflow", "show", ...which, "--output", "json"],
      { maxBuffer: 16 * 1024 * 1024 },
    );
    return stdout;
  };
  return new Map([
    [`${workflowTypes.connector}-1.cli.json`, await show(connector.handle.workflowId)],
    [`${workflowTypes.syncRun}-1.cli.json`, await show(connector.run(1).workflowId)],
  ]);
}

/** From the first execution to the one that continue-as-new led to. */
async function fetchChain(connector: RecordedConnector): Promise<History[]> {
  await connector.untilQuiet();
  const newest = await connector.handle.fetchHistory();
  const start = newest.events?.[0]?.workflowExecutionStartedEventAttributes;
  const chain: History[] = [];
  let runId = start?.firstExecutionRunId;
  while (runId) {
    const handle = connector.stage.client.workflow.getHandle(connector.handle.workflowId, runId);
    const history = await handle.fetchHistory();
    chain.push(history);
    runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return chain;
}
