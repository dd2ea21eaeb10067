import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { handlerNames } from "../../src/contracts/temporal-names.ts";
import type { Stage } from "./harness.ts";

/** A text to search, and what it was before its encoded pieces were decoded. */
interface Searchable {
  name: string;
  text: string;
  raw: string;
}

/** Names of the canaries in a text: in clear, escaped, or in base64 as a whole word of the text. */
export function canariesIn(text: string, canaries: Record<string, string>): string[] {
  const searched = decoded(text).toLowerCase();
  return Object.entries(canaries)
    .filter(([, canary]) => searched.includes(canary.toLowerCase()))
    .map(([name]) => name);
}

/** The text, followed by what its words of base64 say; payloads are such words, and may hold others. */
function decoded(text: string, depth = 2): string {
  const words = depth === 0 ? [] : (text.match(/[A-Za-z0-9+/_-]{16,}={0,2}/g) ?? []);
  return [
    text,
    ...words.map((word) => decoded(Buffer.from(word, "base64").toString("utf8"), depth - 1)),
  ].join("\n");
}

/** Every history of every workflow, as the command line hands it out. */
export async function historiesOf(stage: Stage): Promise<Searchable[]> {
  const histories: Searchable[] = [];
  for await (const { workflowId, runId } of stage.client.workflow.list()) {
    const raw = await stage.temporal("workflow show", {
      "workflow-id": workflowId,
      "run-id": runId,
      output: "json",
    });
    histories.push({ name: workflowId, raw, text: decoded(raw) });
  }
  return histories;
}

/** What the Temporal UI shows of every workflow without opening its history, and what its queries answer. */
export async function visibleOf(stage: Stage): Promise<Searchable[]> {
  const visible: Searchable[] = [];
  for await (const { workflowId, runId, type } of stage.client.workflow.list()) {
    const which = { "workflow-id": workflowId, "run-id": runId };
    const handle = stage.client.workflow.getHandle(workflowId, runId);
    const query = type === "connector" ? handlerNames.describe : handlerNames.progress;
    const raw = [
      await stage.temporal("workflow describe", { ...which, output: "json" }),
      JSON.stringify(await handle.query(query)),
      JSON.stringify(await handle.query("__temporal_workflow_metadata")),
      JSON.stringify(await handle.query("__stack_trace")),
    ].join("\n");
    visible.push({ name: workflowId, raw, text: decoded(raw) });
  }
  return visible;
}

/** Every file in storage but the Parquet files, which are the one place for user ids. */
export async function storedText(stage: Stage): Promise<Searchable[]> {
  const root = join(stage.dir, "storage");
  const names = (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".parquet"))
    .map((entry) => join(entry.parentPath, entry.name));
  const read = async (name: string) => {
    const raw = await readFile(name, "utf8");
    return { name, raw, text: raw };
  };
  return await Promise.all(names.map(read));
}
