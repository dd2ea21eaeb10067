import { z } from "zod";
import { detail, json } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { ContentKind } from "./faults.ts";
import type { Segment } from "./segment.ts";

interface Page {
  offset: number;
  limit: number;
  count: number;
  items: unknown[];
  /** Where the next page begins; null at the end. */
  nextOffset: number | null;
}

interface PageHooks {
  /** Takes a strike of this fault, if one is set. */
  takeFault: (kind: ContentKind) => boolean;
  recompute: () => void;
}

/**
 * One page of the published membership as it is at this moment: nothing holds a walk to the membership it began
 * with, as SegOps promises no such thing.
 */
export function membersPage(segment: Segment, url: URL, hooks: PageHooks): Answer {
  const limit = pageLimit(segment, url.searchParams);
  const offset = pageOffset(segment, url.searchParams, limit);
  if (offset === undefined) return detail(400, "Invalid cursor.");
  const page = readPage(segment, offset, limit);
  damage(page, hooks.takeFault);
  const answer = json(200, envelope(segment, page, url));
  if (offset === 0 && hooks.takeFault("recompute_mid_page")) hooks.recompute();
  return answer;
}

function pageLimit(segment: Segment, query: URLSearchParams): number {
  const asked = Number(query.get("limit") ?? query.get("page_size") ?? segment.options.maxLimit);
  return Number.isInteger(asked) && asked > 0
    ? Math.min(asked, segment.options.maxLimit)
    : segment.options.maxLimit;
}

function pageOffset(segment: Segment, query: URLSearchParams, limit: number): number | undefined {
  if (segment.options.paging === "cursor") return decodeCursor(query.get("cursor"));
  const page = Number(query.get("page") ?? 1);
  return Number.isInteger(page) && page > 0 ? (page - 1) * limit : undefined;
}

function readPage(segment: Segment, offset: number, limit: number): Page {
  const members = segment.published?.members ?? [];
  const ids = members.slice(offset, offset + limit);
  const items = segment.options.itemShape === "string" ? ids : ids.map((user_id) => ({ user_id }));
  const end = offset + limit;
  return { offset, limit, count: members.length, items, nextOffset: end < members.length ? end : null };
}

// None of these is a member: two things that are no id, an object without one, and one whose id is no string.
const NON_STRING_MEMBERS = [42, null, {}, { user_id: 7 }];

function damage(page: Page, takeFault: PageHooks["takeFault"]): void {
  if (takeFault("duplicate_page")) page.items.push(...page.items);
  if (takeFault("repeated_cursor")) page.nextOffset = page.offset;
  else if (page.nextOffset !== null && takeFault("missing_page")) {
    const skipped = page.nextOffset + page.limit;
    page.nextOffset = skipped < page.count ? skipped : null;
  }
  if (takeFault("non_string_member")) page.items.push(...NON_STRING_MEMBERS);
}

function envelope(segment: Segment, page: Page, url: URL): Record<string, unknown> {
  const { paging, arrayName } = segment.options;
  if (paging === "cursor") return { [arrayName]: page.items, next_cursor: encodeCursor(page.nextOffset) };
  return {
    count: page.count,
    next: pageLink(url, page.nextOffset, page.limit),
    previous: pageLink(url, page.offset === 0 ? null : page.offset - page.limit, page.limit),
    [arrayName]: page.items,
  };
}

function pageLink(url: URL, offset: number | null, limit: number): string | null {
  if (offset === null) return null;
  const link = new URL(url);
  link.searchParams.set("page", String(offset / limit + 1));
  return link.href;
}

const cursorSchema = z.object({ o: z.int().min(0) });

function encodeCursor(offset: number | null): string | null {
  return offset === null ? null : Buffer.from(JSON.stringify({ o: offset })).toString("base64url");
}

function decodeCursor(cursor: string | null): number | undefined {
  if (cursor === null || cursor === "") return 0;
  try {
    const decoded: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    return cursorSchema.safeParse(decoded).data?.o;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
