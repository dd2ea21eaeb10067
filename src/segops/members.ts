import type { ConnectorKey } from "../contracts/connector-id.ts";
import { CodedError } from "../contracts/errors.ts";
import type { Http } from "./http.ts";

const pageSize = 1000;

/** SegOps' documentation leaves the name of the list open; these are read, in this order. */
const listNames = ["results", "members", "items", "data"] as const;

type NextPage = { cursor: string } | { page: string };

/**
 * Walks GET segments/<id>/members/, by `next_cursor` or by the page-number envelope. Yields each page's user ids; what is
 * neither a string nor an object with a string `user_id` comes as it is, so that it can be counted. A walk that runs in a circle, goes
 * past `maxItems` or meets a page without a list ends in `snapshot_unverified`.
 */
export async function* walkMembers(
  http: Http,
  key: ConnectorKey,
  maxItems: number,
  signal: AbortSignal,
): AsyncGenerator<readonly unknown[]> {
  const path = `/segments/${key.segment_id}/members/`;
  const cursors = new Set<string>();
  let next: NextPage | undefined;
  let pages = 0;
  let items = 0;
  do {
    const body = await http.json({
      method: "GET",
      path,
      query: { limit: String(pageSize), ...next },
      tenant: key.tenant_slug,
      signal,
      notFound: "segment_not_found",
    });
    const list = listOf(body);
    pages += 1;
    // An empty page counts as one item, so that endless empty pages end as well.
    items += Math.max(list.length, 1);
    if (items > maxItems) throw unverified(`the pages of members go past ${maxItems} items`);
    yield list.map((item) => userIdOf(item));
    next = nextOf(body, pages);
    if (next && "cursor" in next) {
      if (cursors.has(next.cursor)) throw unverified(`the cursor of page ${pages} was given before`);
      cursors.add(next.cursor);
    }
  } while (next);
}

function listOf(body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body;
  const fields = fieldsOf(body);
  const name = listNames.find((candidate) => Array.isArray(fields[candidate]));
  if (name === undefined) throw unverified("a page of members holds no list");
  return fields[name] as unknown[];
}

function nextOf(body: unknown, pages: number): NextPage | undefined {
  const { next_cursor: cursor, next } = fieldsOf(body);
  if (typeof cursor === "string" && cursor !== "") return { cursor };
  if (typeof cursor === "number") return { cursor: String(cursor) };
  return next ? { page: String(pages + 1) } : undefined;
}

function userIdOf(item: unknown): unknown {
  const id = fieldsOf(item)["user_id"];
  return id === undefined ? item : id;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function unverified(detail: string): CodedError {
  return new CodedError("snapshot_unverified", detail);
}
