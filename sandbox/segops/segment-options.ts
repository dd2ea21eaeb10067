import { z } from "zod";

/** What SegOps' documentation leaves open or contradicts, settable per segment so that each reading can be tried. */
export const segmentOptionsSchema = z.strictObject({
  /** `cursor`: `next_cursor`; `page`: the envelope `count`, `next`, `previous` and `?page=`. */
  paging: z.enum(["cursor", "page"]),
  arrayName: z.enum(["results", "members", "items", "data"]),
  /** `object`: `{"user_id": "…"}`; `string`: the bare id. */
  itemShape: z.enum(["object", "string"]),
  /** A larger `limit` is cut to this. */
  maxLimit: z.int().min(1),
  /** The word for a finished export. */
  statusWord: z.enum(["complete", "ready"]),
  /** An export stays pending for at least this long. */
  exportDelayMs: z.number().min(0),
  /** How long a finished export may be downloaded. */
  exportTtlSeconds: z.number().min(0),
  csvHeader: z.boolean(),
  csvLineEnd: z.enum(["\n", "\r\n"]),
  /** Column type of `computed_at` in Parquet. */
  parquetComputedAt: z.enum(["timestamp", "string"]),
  /** Where a download redirects: a path on this host, or a URL on the file host, another origin. */
  location: z.enum(["relative", "absolute"]),
  precision: z.enum(["microseconds", "seconds"]),
  /** How long `compute/` leaves the segment `computing`. */
  computeDelayMs: z.number().min(0),
});

export type SegmentOptions = z.infer<typeof segmentOptionsSchema>;

export const DEFAULT_SEGMENT_OPTIONS: SegmentOptions = {
  paging: "cursor",
  arrayName: "results",
  itemShape: "object",
  maxLimit: 1000,
  statusWord: "complete",
  exportDelayMs: 0,
  exportTtlSeconds: 3600,
  csvHeader: true,
  csvLineEnd: "\n",
  parquetComputedAt: "timestamp",
  location: "relative",
  precision: "microseconds",
  computeDelayMs: 0,
};
