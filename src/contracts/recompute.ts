import { z } from "zod";

const lenient = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined);

/** ISO 8601 with a zone; SegOps sends UTC, with or without fractions of a second. */
export const timestampSchema = z.iso.datetime({ offset: true });

/**
 * The `recompute` signal: SegOps' webhook body as it is. Every field may be missing and extra ones are ignored;
 * a field of a wrong type counts as missing, because the signal itself already says "look".
 */
const recomputeSignalSchema = z.object({
  event: lenient(z.string()),
  tenant_slug: lenient(z.string()),
  segment_id: lenient(z.union([z.int(), z.string()])),
  segment_name: lenient(z.string().max(500)),
  member_count: lenient(z.int().nonnegative()),
  computed_at: lenient(timestampSchema),
});

/** What is kept of a signal: when the segment was computed, and what else SegOps said of it. */
export interface Recompute {
  computed_at?: string;
  member_count?: number;
  segment_name?: string;
}

/** Reads whatever a caller signalled; undefined means that it was no recompute at all and is to be ignored. */
export function parseRecompute(body: unknown, segmentId: number): Recompute | undefined {
  if (body === undefined || body === null) return {};
  const parsed = recomputeSignalSchema.safeParse(body);
  if (!parsed.success) return undefined;
  const { segment_id: named, computed_at, member_count, segment_name } = parsed.data;
  if (named !== undefined && named !== null && String(named) !== String(segmentId)) return undefined;
  return {
    ...(computed_at ? { computed_at } : {}),
    ...(typeof member_count === "number" ? { member_count } : {}),
    ...(segment_name ? { segment_name } : {}),
  };
}

/**
 * Orders two `computed_at` texts, to the microsecond and beyond: `Date` cuts at milliseconds, and two recomputes of one
 * millisecond are still two. Negative when a is older than b.
 */
export function compareComputedAt(a: string, b: string): number {
  const seconds = wholeSecond(a) - wholeSecond(b);
  if (seconds !== 0) return seconds;
  const [left, right] = [fraction(a), fraction(b)];
  return left === right ? 0 : left < right ? -1 : 1;
}

function wholeSecond(timestamp: string): number {
  return Date.parse(timestamp.replace(/\.\d+/, ""));
}

/** Without the zeros at its end, digits of any length order as text. */
function fraction(timestamp: string): string {
  return (/\.(\d+)/.exec(timestamp)?.[1] ?? "").replace(/0+$/, "");
}
