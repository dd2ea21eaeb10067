import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { historyFromJSON, type History } from "@temporalio/common/lib/proto-utils.js";

/** `<version>/<scenario>/<workflow>-<n>.json`; what Temporal's own command line exported ends in `.cli.json`. */
export const archiveDir = fileURLToPath(new URL("./histories/", import.meta.url));

const packageFile = new URL("../../package.json", import.meta.url);
export const currentVersion = (JSON.parse(readFileSync(packageFile, "utf8")) as { version: string }).version;

/** A history as it lies in the archive. */
export interface ArchivedHistory {
  /** Its path in the archive, with slashes. */
  name: string;
  version: string;
  scenario: string;
  workflowId: string;
  /** The file as it is. */
  text: string;
  history: History;
}

/** Every history of every version, by name. Throws where a file is not a history that a worker could replay. */
export function readArchive(): ArchivedHistory[] {
  if (!existsSync(archiveDir)) return [];
  const files = readdirSync(archiveDir, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map(readArchived);
}

function readArchived(file: string): ArchivedHistory {
  const name = file.split(sep).join("/");
  const [version = "", scenario = ""] = name.split("/");
  const text = readFileSync(join(archiveDir, file), "utf8");
  const history = historyFromJSON(JSON.parse(text));
  const workflowId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId;
  if (!workflowId) throw new Error(`${name} does not begin with the start of a workflow`);
  return { name, version, scenario, workflowId, text, history };
}
