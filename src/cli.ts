#!/usr/bin/env node
import { Command } from "commander";
import { addApi } from "./cli/api.ts";
import { addApiKey } from "./cli/api-key.ts";
import { addConfigure } from "./cli/connector-configure.ts";
import { addCreate } from "./cli/connector-create.ts";
import { addDelete } from "./cli/connector-delete.ts";
import { addExplain } from "./cli/connector-explain.ts";
import { addList } from "./cli/connector-list.ts";
import { addLogs } from "./cli/connector-logs.ts";
import { addShow } from "./cli/connector-show.ts";
import { addActivate, addApproveRemoval, addDeactivate, addResync, addSync } from "./cli/connector-steer.ts";
import { addDev } from "./cli/dev.ts";
import { failureOf } from "./cli/failure.ts";
import { addKeys } from "./cli/keys-create.ts";
import { addSetup } from "./cli/setup.ts";
import { addWorker } from "./cli/worker.ts";
import { packageVersion } from "./package-version.ts";

const json = process.argv.includes("--json");

function createProgram(): Command {
  const program = new Command("segops-braze")
    .description("Keeps Braze showing exactly the people whom SegOps says are in a segment.")
    .version(packageVersion())
    .exitOverride()
    // Errors are told in one place, below; what else commander writes to stderr is the help of a lone `connector`.
    .configureOutput({ outputError: () => {}, writeErr: (text) => void (json || process.stderr.write(text)) })
    .addHelpText("after", "\nExit status: 0 done, 1 refused or failed, 2 wrong usage.");
  addSetup(program);
  addWorker(program);
  addApi(program);
  addApiKey(program);
  addKeys(program);
  const connector = program.command("connector").description("create, steer and inspect connectors");
  const commands = [
    addCreate,
    addList,
    addShow,
    addConfigure,
    addActivate,
    addDeactivate,
    addSync,
    addResync,
    addApproveRemoval,
    addLogs,
    addExplain,
    addDelete,
  ];
  for (const add of commands) add(connector);
  addDev(program);
  return program;
}

// Whoever reads may have seen enough, as `| head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  await createProgram().parseAsync();
} catch (error) {
  const failure = failureOf(error);
  if (failure) {
    const { code, message, exitStatus } = failure;
    const told = json ? JSON.stringify({ error: { code, message } }) : `segops-braze: ${message} [${code}]`;
    process.stderr.write(`${told}\n`);
    process.exitCode = exitStatus;
  }
}
