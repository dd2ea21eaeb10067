import { jsonAnswer, refusal } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { Call } from "./call.ts";
import type { Workspace } from "./workspace.ts";

const PAGE_SIZE = 50;

/** GET /custom_attributes: alphabetical, 50 a page; the next page is a `Link` header with a cursor. */
export function listCustomAttributes(call: Call): Answer {
  const start = readCursor(call.query.get("cursor"));
  if (start === undefined) return refusal(400, "(stand-in) 'cursor' is not valid");
  const all = describeAll(call.workspace);
  const page = all.slice(start, start + PAGE_SIZE);
  const answer = jsonAnswer(200, { message: "success", attributes: page });
  const next = start + PAGE_SIZE;
  if (next >= all.length) return answer;
  const link = `<${call.origin}/custom_attributes?cursor=${writeCursor(next)}>; rel="next"`;
  return { ...answer, headers: { link } };
}

function describeAll(workspace: Workspace): object[] {
  const { blocklistedAttributes, forcedTypes, arrayLimit } = workspace.settings;
  const types = new Map<string, string | undefined>();
  for (const column of workspace.users.custom.all()) types.set(column.name, column.dataType);
  for (const name of blocklistedAttributes) types.set(name, types.get(name));
  for (const [name, type] of Object.entries(forcedTypes))
    types.set(name, type[0]?.toUpperCase() + type.slice(1));
  const names = [...types.keys()].filter(
    (name) => types.get(name) !== undefined || workspace.blocklisted.has(name),
  );
  return names.sort().map((name) => ({
    name,
    data_type: types.get(name) ?? "",
    status: workspace.blocklisted.has(name) ? "Blocklisted" : "Active",
    array_length: types.get(name) === "Array" ? arrayLimit : null,
    description: null,
    tag_names: [],
  }));
}

function writeCursor(start: number): string {
  return Buffer.from(`from:${start}`).toString("base64url");
}

function readCursor(cursor: string | null): number | undefined {
  if (cursor === null) return 0;
  const match = /^from:(\d+)$/.exec(Buffer.from(cursor, "base64url").toString());
  return match ? Number(match[1]) : undefined;
}
