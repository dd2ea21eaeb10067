import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareComputedAt, parseRecompute, timestampSchema } from "../../../src/contracts/recompute.ts";

const body = {
  event: "segment.recomputed",
  tenant_slug: "acme",
  segment_id: 7,
  segment_name: "High LTV Buyers",
  member_count: 1842,
  computed_at: "2026-05-02T14:32:00Z",
};
const kept = {
  computed_at: "2026-05-02T14:32:00Z",
  member_count: 1842,
  segment_name: "High LTV Buyers",
};

describe("a recompute signal", () => {
  test.each([
    ["SegOps' whole body", body, kept],
    ["a body with fields of tomorrow", { ...body, version: 2 }, kept],
    ["a segment_id as text", { ...body, segment_id: "7" }, kept],
    ["no segment_id", { ...body, segment_id: undefined }, kept],
    ["nothing at all", undefined, {}],
    ["null", null, {}],
    ["an empty object", {}, {}],
    ["nulls throughout", { segment_id: null, computed_at: null, member_count: null, segment_name: null }, {}],
    ["an empty segment", { ...body, member_count: 0 }, { ...kept, member_count: 0 }],
  ])("of %s is taken", (_, given, expected) => {
    expect(parseRecompute(given, 7)).toEqual(expected);
  });

  test.each([
    ["computed_at", "yesterday"],
    ["computed_at", "2026-05-02T14:32:00"],
    ["computed_at", 1777732320],
    ["member_count", -1],
    ["member_count", "1842"],
    ["member_count", 1.5],
    ["segment_name", 7],
    ["segment_name", "x".repeat(501)],
  ] as const)("whose %s is %j is taken without that field", (field, value) => {
    const { [field]: _, ...rest } = kept;
    expect(parseRecompute({ ...body, [field]: value }, 7)).toEqual(rest);
  });

  test.each([
    ["a text", "recompute"],
    ["a number", 7],
    ["a list", [body]],
    ["another segment's body", { ...body, segment_id: 8 }],
    ["another segment's body, as text", { ...body, segment_id: "8" }],
  ])("that is %s is ignored", (_, given) => {
    expect(parseRecompute(given, 7)).toBeUndefined();
  });
});

describe("computed_at", () => {
  test.each([
    ["2026-05-02T14:32:00Z", "2026-05-02T14:32:01Z"],
    ["2026-05-02T14:32:00Z", "2026-05-02T14:32:00.000001Z"],
    ["2026-05-02T14:32:00.123456Z", "2026-05-02T14:32:00.123457Z"],
    ["2026-05-02T14:32:00.9Z", "2026-05-02T14:32:00.91Z"],
    ["2026-05-02T16:32:00.1+02:00", "2026-05-02T14:32:00.2Z"],
    ["2026-05-02T14:32:00.5Z", "2026-05-02T13:32:00.6-01:00"],
  ])("%s is older than %s", (older, newer) => {
    expect(compareComputedAt(older, newer)).toBeLessThan(0);
    expect(compareComputedAt(newer, older)).toBeGreaterThan(0);
  });

  test("orders as the moments do, to any fraction of a second and in any zone", () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        expect(timestampSchema.safeParse(a.text).success).toBe(true);
        const expected = a.picoseconds < b.picoseconds ? -1 : a.picoseconds > b.picoseconds ? 1 : 0;
        expect(Math.sign(compareComputedAt(a.text, b.text))).toBe(expected);
      }),
    );
  });

  test("of one moment is equal however it is written", () => {
    fc.assert(
      fc.property(moment, zone, fc.integer({ min: 0, max: 9 }), ({ seconds, fraction }, zone, zeros) => {
        const other = write(seconds, fraction + "0".repeat(zeros), zone);
        expect(compareComputedAt(write(seconds, fraction, 0), other)).toBe(0);
      }),
    );
  });
});

/** Few seconds and fractions, so that two moments often share one. */
const secondsOf2026 = fc.integer({ min: 0, max: 3 }).map((offset) => 1_777_732_320 + offset);
const fractions = fc.oneof(
  fc.constant(""),
  fc.stringMatching(/^[0-9]{1,18}$/),
  fc.stringMatching(/^[01]{1,3}$/),
);
const zone = fc.integer({ min: -14 * 60, max: 14 * 60 });
const moment = fc.tuple(secondsOf2026, fractions, zone).map(([seconds, fraction, zone]) => ({
  seconds,
  fraction,
  text: write(seconds, fraction, zone),
  picoseconds: BigInt(seconds) * 10n ** 18n + BigInt(fraction.padEnd(18, "0")),
}));

function write(seconds: number, fraction: string, zoneMinutes: number): string {
  const local = new Date((seconds + zoneMinutes * 60) * 1000).toISOString().slice(0, 19);
  const two = (value: number) => String(Math.trunc(value)).padStart(2, "0");
  const minutes = Math.abs(zoneMinutes);
  const suffix =
    zoneMinutes === 0 ? "Z" : `${zoneMinutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
  return `${local}${fraction && `.${fraction}`}${suffix}`;
}
