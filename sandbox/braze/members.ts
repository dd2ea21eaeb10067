import type { Column } from "./column.ts";
import type { JsonValue } from "./json.ts";
import { subscribedBy } from "./subscription-state.ts";
import type { Workspace } from "./workspace.ts";

/**
 * External ids of the users whose applied state matches, in byte order. `attribute` and `value` (JSON, or else taken
 * as a string), or `subscription_group_id` and `state`. Profiles without external id are left out.
 */
export function* memberIds(workspace: Workspace, query: URLSearchParams): Generator<string> {
  const [column, value] = selectionOf(workspace, query);
  if (column === undefined) return;
  const ids: string[] = [];
  for (const user of column.usersWith(value)) {
    const id = workspace.users.externalId(user);
    if (id !== null) ids.push(id);
  }
  yield* sortedByBytes(ids);
}

function selectionOf(workspace: Workspace, query: URLSearchParams): [Column | undefined, JsonValue] {
  const { users } = workspace;
  const group = query.get("subscription_group_id");
  if (group !== null) return [users.groups.find(group), subscribedBy(query.get("state")) ?? true];
  return [users.custom.find(query.get("attribute") ?? ""), parsedOrText(query.get("value") ?? "true")];
}

function parsedOrText(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

/** UTF-16 order differs from byte order only from the surrogates upwards; a million plain ids take the quick way. */
function sortedByBytes(ids: string[]): string[] {
  if (!ids.some((id) => /[\ud800-\uffff]/.test(id))) return ids.sort();
  const keyed = ids.map((id) => ({ id, bytes: Buffer.from(id) }));
  return keyed.sort((a, b) => Buffer.compare(a.bytes, b.bytes)).map(({ id }) => id);
}
