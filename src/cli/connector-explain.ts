import { text } from "node:stream/consumers";
import type { Command } from "commander";
import type { ConnectorKey } from "../client.ts";
import { defaultExplainedRuns, maxExplainedRuns } from "../contracts/explain.ts";
import type { ExplainedChannel, ExplainedRun, Explanation } from "../contracts/explain.ts";
import { connectorArgument, countArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { UsageError } from "./failure.ts";
import { table } from "./table.ts";

interface ExplainCommandOptions {
  userId: string;
  limit: number;
  before?: number;
}

export function addExplain(parent: Command): void {
  const command = parent
    .command("explain")
    .description("tell one user's timeline from the log in STORAGE_URL, newest run first; needs no Temporal")
    .argument("<tenant/segment>", "the connector, such as acme/7", connectorArgument)
    .requiredOption(
      "--user-id <id|->",
      "the user's id exactly as SegOps has it; - reads it from standard input",
    )
    .option("--limit <n>", "how many runs", countArgument(maxExplainedRuns), defaultExplainedRuns)
    .option("--before <run>", "only runs with a lower number", countArgument(999_999_999_999));
  defineCommand(
    command,
    async ({ environment, output }, options: ExplainCommandOptions, key: ConnectorKey) => {
      const userId = await readUserId(options.userId);
      // Loaded only here: DuckDB would cost every other command its start.
      const { openLedger } = await import("../ledger/open-ledger.ts");
      const { ledger } = await openLedger(environment);
      try {
        const { limit, before } = options;
        const told = await ledger.explain(key, userId, { limit, before });
        output.result(told, () => drawn(told));
      } finally {
        await ledger.close();
      }
    },
  );
}

/** From standard input it lands in no shell's history. Only the line end that `echo` adds is not the id's. */
async function readUserId(given: string): Promise<string> {
  const userId = given === "-" ? (await text(process.stdin)).replace(/\r?\n$/, "") : given;
  if (userId === "") throw new UsageError("--user-id is empty. Give the id as SegOps has it.");
  return userId;
}

function drawn({ now, runs, next_before }: Explanation): string {
  const states = now.channels.map((each) => [
    each.channel,
    each.state,
    each.reason,
    each.since,
    each.retry_at,
  ]);
  const parts = [
    desiredLine(now),
    states.length === 0 ? "" : table(["CHANNEL", "NOW", "REASON", "SINCE", "AGAIN FROM"], states),
    runs.length === 0 ? "No runs yet." : table(head, runs.flatMap(rows)),
    runs.some((run) => run.files !== "whole") ? "* files_cleaned_up: files of this run are gone." : "",
    next_before === null ? "" : `Older runs: --before ${next_before}`,
  ];
  return parts.filter(Boolean).join("\n\n");
}

function desiredLine({ desired, computed_at }: Explanation["now"]): string {
  if (desired === null) return "Desired: not known, no run has compared a membership.";
  const when = computed_at ? ` by the membership computed at ${computed_at}` : "";
  return desired ? `Desired: yes, a member${when}.` : `Desired: no, not a member${when}.`;
}

const head = ["RUN", "OUTCOME", "STARTED", "MEMBER", "CHANNEL", "PLANNED", "BECAME", "REASON", "AFTER"];

/** One line per channel; a run that touched none has one, too. */
function rows(run: ExplainedRun): (string | number | null)[][] {
  const number = run.files === "whole" ? String(run.number) : `${run.number}*`;
  const member = run.member === null ? null : run.member ? "yes" : "no";
  const start = [number, run.outcome ?? "open", run.started_at, member];
  const channels: (ExplainedChannel | undefined)[] = run.channels.length === 0 ? [undefined] : run.channels;
  return channels.map((each) => [
    ...start,
    each?.channel ?? null,
    each?.planned ?? null,
    each?.became ?? null,
    each?.reason ?? null,
    each?.after?.state ?? null,
  ]);
}
