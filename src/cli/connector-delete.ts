import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import type { ConnectorKey } from "../client.ts";
import { connectorName } from "../contracts/connector-id.ts";
import { connectorArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { CommandError } from "./failure.ts";
import { withConnectors } from "./session.ts";

interface DeleteOptions {
  cleanup?: boolean;
  yes?: boolean;
}

export function addDelete(parent: Command): void {
  const command = parent
    .command("delete")
    .description("remove a connector; Braze keeps what it has unless --cleanup")
    .argument("<tenant/segment>", "the connector, such as acme/7", connectorArgument)
    .option("--cleanup", "unset everyone in Braze first")
    .option("--yes", "do not ask");
  defineCommand(
    command,
    async ({ environment, output }, { cleanup = false, yes = false }: DeleteOptions, key: ConnectorKey) => {
      const name = connectorName(key);
      if (!yes) await confirm(name, cleanup);
      await withConnectors(environment, (connectors) => connectors.remove(key, { cleanup }));
      const status = cleanup ? "removing" : "removed";
      output.result({ connector: name, status }, () =>
        cleanup ? `Everyone in ${name} is being unset in Braze; then it is removed.` : `Removed ${name}.`,
      );
    },
  );
}

async function confirm(name: string, cleanup: boolean): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandError("not_confirmed", `${name} was not removed: nobody can be asked here. Say --yes.`);
  }
  const what = cleanup
    ? `Unset everyone in Braze and remove ${name}?`
    : `Remove ${name}? Braze keeps what it has.`;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${what} [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new CommandError("not_confirmed", `${name} was not removed.`);
}
