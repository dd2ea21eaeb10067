import type { Command } from "commander";
import type { ConnectorKey, Connectors, ConnectorView } from "../client.ts";
import { connectorArgument, digestArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { connectorCard } from "./connector-card.ts";
import { followRun } from "./follow-run.ts";
import { withConnectors } from "./session.ts";

interface WaitOptions {
  wait?: boolean;
}

/** How long `activate --wait` waits for a first run: the look at SegOps may find that there is nothing to deliver. */
const lookPatienceMs = 15_000;

export function addActivate(parent: Command): void {
  const command = steering(parent, "activate", "begin to deliver what SegOps says").option(
    "--wait",
    "until the first run has ended, if SegOps has something to deliver",
  );
  steer(command, "Activated.", (connectors, key) => connectors.activate(key), lookPatienceMs);
}

export function addDeactivate(parent: Command): void {
  const command = steering(parent, "deactivate", "stop delivering; Braze keeps what it has");
  steer(command, "Deactivated.", (connectors, key) => connectors.deactivate(key), lookPatienceMs);
}

export function addSync(parent: Command): void {
  const command = steering(parent, "sync", "run now, whether or not anything is new").option(
    "--wait",
    "until the run has ended; exit status 1 if it failed",
  );
  steer(command, "Queued.", (connectors, key) => connectors.sync(key), Infinity);
}

export function addResync(parent: Command): void {
  const command = steering(parent, "resync", "write every member again, also those rejected for good").option(
    "--wait",
    "until the run has ended; exit status 1 if it failed",
  );
  steer(command, "Queued.", (connectors, key) => connectors.resync(key), Infinity);
}

export function addApproveRemoval(parent: Command): void {
  const command = steering(parent, "approve-removal", "let exits go out that are held for a person")
    .requiredOption("--digest <digest>", "which exits, by the digest that show prints", digestArgument)
    .option("--wait", "until the run has ended; exit status 1 if it failed");
  const approve = (connectors: Connectors, key: ConnectorKey) =>
    connectors.approveRemoval(key, command.opts<{ digest: string }>().digest);
  steer(command, "Approved.", approve, Infinity);
}

function steering(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .argument("<tenant/segment>", "the connector, such as acme/7", connectorArgument);
}

function steer(
  command: Command,
  done: string,
  ask: (connectors: Connectors, key: ConnectorKey) => Promise<ConnectorView>,
  beginPatienceMs: number,
): void {
  defineCommand(command, async ({ environment, output }, { wait }: WaitOptions, key: ConnectorKey) => {
    await withConnectors(environment, async (connectors) => {
      const asked = await ask(connectors, key);
      if (!wait) return output.result(asked, () => `${done}\n\n${connectorCard(asked)}`);
      output.note(done);
      const look = () => connectors.describe(key);
      const ended = await followRun(look, asked, { output, beginPatienceMs });
      output.result(ended, () => connectorCard(ended));
    });
  });
}
