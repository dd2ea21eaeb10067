import type { Command } from "commander";
import type { ConnectorKey, ConnectorView } from "../client.ts";
import { errorMessage, isErrorCode } from "../contracts/errors.ts";
import { maxVerifySampleUsers, verifySampleUsers, type RunSummary } from "../contracts/run.ts";
import { verificationLine } from "../contracts/view.ts";
import { connectorArgument, countArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { connectorCard } from "./connector-card.ts";
import { CommandError } from "./failure.ts";
import { followRun } from "./follow-run.ts";
import { withConnectors } from "./session.ts";

interface VerifyOptions {
  sample: number;
  wait?: boolean;
}

export function addVerify(parent: Command): void {
  const command = parent
    .command("verify")
    .description("compare a sample of users with what Braze shows, and write again whoever is wrong")
    .argument("<tenant/segment>", "the connector, such as acme/7", connectorArgument)
    .option("--sample <users>", "how many users", countArgument(maxVerifySampleUsers), verifySampleUsers)
    .option("--wait", "until the run has ended; exit status 1 if it failed, or Braze could not be read");
  defineCommand(
    command,
    async ({ environment, output }, { sample, wait }: VerifyOptions, key: ConnectorKey) => {
      await withConnectors(environment, async (connectors) => {
        const asked = await connectors.verify(key, { sample });
        if (!wait) return output.result(asked, () => `Queued.\n\n${connectorCard(asked)}`);
        output.note("Queued.");
        const look = () => connectors.describe(key);
        const ended = await followRun(look, asked, { output, beginPatienceMs: Infinity });
        throwIfSkipped(ended);
        output.result(ended, () => `${verdict(ended.last_run)}\n\n${connectorCard(ended)}`);
      });
    },
  );
}

/** Whoever asks wants to know: a sample that could not be read is no answer. */
function throwIfSkipped({ last_run: run }: ConnectorView): void {
  const { verification } = run ?? {};
  if (!verification?.skipped) return;
  const { skipped: code } = verification;
  const what = verificationLine(verification);
  throw new CommandError(code, isErrorCode(code) ? `${what}. ${errorMessage(code)}` : `${what}.`);
}

function verdict(run: RunSummary | null): string {
  if (!run?.verification) return "There is nothing to verify: no user is known to be in Braze, or out of it.";
  const { checked, wrong } = run.verification;
  if (wrong === 0) return `All ${checked} users that were read back are as the ledger says.`;
  const isDone = run.outcome === "clean" && run.waiting === 0;
  return `${wrong} of ${checked} users were wrong in Braze; ${isDone ? "they are written again" : "they are written by a run that follows"}.`;
}
