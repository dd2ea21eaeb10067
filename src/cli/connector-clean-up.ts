import type { Command } from "commander";
import { CodedError, type ConnectorKey } from "../client.ts";
import { deleteLeftovers, findLeftovers } from "../ledger/clean-up.ts";
import type { Leftover } from "../ledger/clean-up.ts";
import { ConnectorLog } from "../ledger/log.ts";
import { openStorage } from "../storage/open-storage.ts";
import { connectorArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { table } from "./table.ts";

export function addCleanUp(parent: Command): void {
  const command = parent
    .command("clean-up")
    .description(
      "delete files in STORAGE_URL that no kept entry of the log names, as workers do daily; needs no Temporal",
    )
    .argument("<tenant/segment>", "the connector, such as acme/7", connectorArgument)
    .option("--dry-run", "only list them");
  defineCommand(
    command,
    async ({ environment, output }, { dryRun = false }: { dryRun?: boolean }, key: ConnectorKey) => {
      const storage = await openStorage(environment.STORAGE_URL);
      if (!(await new ConnectorLog(storage, key).latestConfig())) {
        throw new CodedError("connector_not_found", "nothing in STORAGE_URL");
      }
      const afterMs = environment.CLEAN_UP_AFTER_DAYS * 86_400_000;
      const leftovers = await findLeftovers(storage, key, { nowMs: Date.now(), afterMs });
      if (!dryRun) await deleteLeftovers(storage, leftovers);
      const totals = { files: leftovers.length, bytes: leftovers.reduce((sum, { bytes }) => sum + bytes, 0) };
      const document = { deleted: !dryRun, ...totals, leftovers: leftovers.map(shown) };
      output.result(document, () => drawn(document));
    },
  );
}

interface ShownLeftover {
  key: string;
  bytes: number;
  written_at: string;
  /** Why it may go, in words. */
  why: string;
}

function shown({ key, bytes, writtenAtMs, commitsSince }: Leftover): ShownLeftover {
  const why = `no kept entry names it; ${commitsSince} runs were closed since`;
  return { key, bytes, written_at: new Date(writtenAtMs).toISOString(), why };
}

function drawn(found: {
  deleted: boolean;
  files: number;
  bytes: number;
  leftovers: ShownLeftover[];
}): string {
  const total = `${found.files} files, ${found.bytes} bytes`;
  const summary = found.deleted ? `Deleted ${total}.` : `Would delete ${total}.`;
  if (found.files === 0) return summary;
  const rows = found.leftovers.map(({ key, bytes, written_at, why }) => [key, bytes, written_at, why]);
  return `${table(["FILE", "BYTES", "WRITTEN", "WHY"], rows)}\n\n${summary}`;
}
