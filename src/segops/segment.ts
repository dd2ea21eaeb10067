import { z } from "zod";
import type { ConnectorKey } from "../contracts/connector-id.ts";
import { CodedError } from "../contracts/errors.ts";
import { timestampSchema } from "../contracts/recompute.ts";
import type { Http } from "./http.ts";

/** A segment as SegOps shows it at one moment. */
export interface Segment {
  name: string;
  /** Null: SegOps does not say. */
  memberCount: number | null;
  /** ISO 8601 with a zone, as exact as SegOps wrote it; null: never computed. */
  computedAt: string | null;
}

const timeSchema = z.string().nullish();
const segmentSchema = z
  .object({
    name: z.string().catch(""),
    member_count: z.int().nonnegative().nullish().catch(null),
    last_computed_at: timeSchema,
    computed_at: timeSchema,
  })
  // An object without any such field is an error page or a stranger's JSON, not a segment that was never computed.
  .refine((body) => body.last_computed_at !== undefined || body.computed_at !== undefined);

/** GET segments/<id>/. Errors: `segment_not_found` and those of every call (`client.ts`). */
export async function readSegment(http: Http, key: ConnectorKey, signal: AbortSignal): Promise<Segment> {
  const path = `/segments/${key.segment_id}/`;
  const body = await http.json({
    method: "GET",
    path,
    tenant: key.tenant_slug,
    signal,
    notFound: "segment_not_found",
  });
  const parsed = segmentSchema.safeParse(body);
  if (!parsed.success) throw new CodedError("segops_unavailable", `GET ${path}: the answer is no segment`);
  const { name, member_count, last_computed_at, computed_at } = parsed.data;
  return {
    name,
    memberCount: member_count ?? null,
    computedAt: readTime(last_computed_at ?? computed_at ?? null, path),
  };
}

/** SegOps' times are UTC: a missing zone, or a blank instead of the T, is mended; anything else is refused. */
function readTime(text: string | null, path: string): string | null {
  if (text === null) return null;
  const mended = text.trim().replace(" ", "T");
  for (const candidate of [mended, `${mended}Z`]) {
    if (timestampSchema.safeParse(candidate).success) return candidate;
  }
  throw new CodedError("segops_unavailable", `GET ${path}: last_computed_at is not an ISO 8601 time`);
}
