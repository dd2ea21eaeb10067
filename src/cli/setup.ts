import type { Command } from "commander";
import { connectTemporal } from "../client.ts";
import { defineCommand } from "./command.ts";
import { registerSearchAttributes } from "./search-attributes.ts";

export function addSetup(program: Command): void {
  const command = program
    .command("setup")
    .description("register the connectors' search attributes in the Temporal namespace; again does no harm");
  defineCommand(command, async ({ output }) => {
    const client = await connectTemporal();
    try {
      const { namespace } = client.options;
      const { added, present } = await registerSearchAttributes(client);
      output.result({ namespace, added, present }, () =>
        added.length > 0
          ? `Namespace ${namespace} is ready: added ${added.join(", ")}.`
          : `Namespace ${namespace} was ready already.`,
      );
    } finally {
      await client.connection.close();
    }
  });
}
