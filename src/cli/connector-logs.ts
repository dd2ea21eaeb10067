import type { Command } from "commander";
import { CodedError, type ConnectorKey } from "../client.ts";
import { shownRun, type ShownRun } from "../client/logged-view.ts";
import { ConnectorLog } from "../ledger/log.ts";
import { openStorage } from "../storage/open-storage.ts";
import { connectorArgument, countArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { table } from "./table.ts";

interface LogsOptions {
  limit: number;
  before?: number;
}

export function addLogs(parent: Command): void {
  const command = parent
    .command("logs")
    .description("list a connector's runs, newest first, from its log in STORAGE_URL; needs no Temporal")
    .argument("<tenant/segment>", "the connector, such as acme/7", connectorArgument)
    .option("--limit <n>", "how many runs", countArgument(1000), 20)
    .option("--before <run>", "only runs with a lower number", countArgument(999_999_999_999));
  defineCommand(
    command,
    async ({ environment, output }, { limit, before }: LogsOptions, key: ConnectorKey) => {
      const log = new ConnectorLog(await openStorage(environment.STORAGE_URL), key);
      if (!(await log.latestConfig())) throw new CodedError("connector_not_found", "nothing in STORAGE_URL");
      const runs = (await log.runs({ limit, before })).map(shownRun);
      output.result({ runs }, () => (runs.length === 0 ? "No runs yet." : table(head, runs.map(row))));
    },
  );
}

const head = [
  "RUN",
  "OUTCOME",
  "REASON",
  "ENTERED",
  "EXITED",
  "REJECTED",
  "UNKNOWN",
  "REQUESTS",
  "STARTED",
  "ENDED",
  "ERROR",
];

function row(run: ShownRun): (string | number | null)[] {
  if (run.outcome === null) {
    return [run.number, "open", null, null, null, null, null, null, run.started_at, null, null];
  }
  const { number, outcome, reason, entered, exited, rejected, unknown, requests } = run;
  const error = run.error?.code ?? null;
  return [
    number,
    outcome,
    reason,
    entered,
    exited,
    rejected,
    unknown,
    requests,
    run.started_at,
    run.finished_at,
    error,
  ];
}
