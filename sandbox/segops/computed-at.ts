/** How fine SegOps writes its times. Both are seen in its documentation. */
export type ComputedAtPrecision = "microseconds" | "seconds";

const ISO_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/;

/** Microseconds since 1970 of an ISO 8601 time with a zone; undefined if it is not one. */
export function parseComputedAt(text: string): number | undefined {
  const [, seconds, fraction = "", zone] = ISO_TIME.exec(text) ?? [];
  const milliseconds = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds * 1000 + Number(fraction.padEnd(6, "0"));
}

export function formatComputedAt(micros: number, precision: ComputedAtPrecision): string {
  const seconds = new Date(Math.floor(micros / 1_000_000) * 1000).toISOString().slice(0, 19);
  if (precision === "seconds") return `${seconds}Z`;
  return `${seconds}.${String(micros % 1_000_000).padStart(6, "0")}Z`;
}

/**
 * The time of the next recompute, in microseconds: now, or the smallest later step if the last recompute was not
 * before now. In whole seconds, quick recomputes therefore run ahead of the clock rather than share a time.
 */
export function nextComputedAt(lastMicros: number | undefined, precision: ComputedAtPrecision): number {
  const step = precision === "seconds" ? 1_000_000 : 1;
  const next = Math.max(Date.now() * 1000, (lastMicros ?? 0) + step);
  return next - (next % step);
}
