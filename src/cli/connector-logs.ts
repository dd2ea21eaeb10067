import type { Command } from "commander";
import { committedRun } from "../activities/committed-run.ts";
import { CodedError, type ConnectorKey } from "../client.ts";
import type { RunSummary } from "../contracts/run.ts";
import { ConnectorLog, type LoggedRun } from "../ledger/log.ts";
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

/** A run as `show` tells the last one; of one that is open only the beginning is known. */
type ShownRun = RunSummary | { number: number; workflow_id: string; outcome: null; started_at: string };

function shownRun({ number, plan, commit }: LoggedRun): ShownRun {
  if (commit) return committedRun(commit).summary;
  return { number, workflow_id: plan?.workflow_id ?? "", outcome: null, started_at: plan?.at ?? "" };
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
