import { describe, expect, test } from "vitest";
import { proveSnapshot, whyOlder } from "../../../src/segops/snapshot-proof.ts";

const at = "2026-05-02T14:32:00.000002Z";
const segment = { name: "High LTV", memberCount: 3 as number | null, computedAt: at as string | null };
const whole = { before: segment, after: segment, distinctReceived: 3, notStrings: 0 };

describe("a membership is proven", () => {
  test.each([
    ["when time and count hold", {}],
    ["when the signal and the ledger are as old", { notBefore: at, ledgerComputedAt: at }],
    [
      "when the signal writes the same moment in another zone",
      { notBefore: "2026-05-02T16:32:00.000002+02:00" },
    ],
    [
      "when it is newer than both",
      { notBefore: "2026-05-02T14:32:00Z", ledgerComputedAt: "2026-05-02T14:32:00.000001Z" },
    ],
    ["when it is empty and the count says so", countOf(0, 0)],
    ["when the count is missing but members came", countOf(null, 3)],
    ["when the count includes members without an id", { ...countOf(5, 3), notStrings: 2 }],
    ["when the count leaves members without an id out", { ...countOf(3, 3), notStrings: 2 }],
  ])("%s", (_, given) => {
    expect(proveSnapshot({ ...whole, ...given })).toBeUndefined();
  });
});

describe("a membership is not proven", () => {
  test.each([
    [
      "when it was computed again meanwhile",
      { after: { ...segment, computedAt: "2026-05-02T14:32:00.000003Z" } },
      "changed from",
    ],
    ["when it was never computed", { before: { ...segment, computedAt: null } }, "no last_computed_at"],
    ["when it is uncomputed afterwards", { after: { ...segment, computedAt: null } }, "no last_computed_at"],
    [
      "when it is a microsecond older than the signal",
      { notBefore: "2026-05-02T14:32:00.000003Z" },
      "the recompute's",
    ],
    [
      "when it is a microsecond older than the ledger",
      { ledgerComputedAt: "2026-05-02T14:32:00.000003Z" },
      "the ledger's",
    ],
    ["when one member is missing", { distinctReceived: 2 }, "member_count is 3, but 2"],
    ["when there is one too many", { distinctReceived: 4 }, "member_count is 3, but 4"],
    [
      "when the count changed meanwhile",
      { after: { ...segment, memberCount: 4 } },
      "member_count is 4, but 3",
    ],
    ["when more is missing than has no id", { ...countOf(6, 3), notStrings: 2 }, "and 2 without an id"],
    ["when nothing came and the count is missing", countOf(null, 0), "member_count is missing"],
    [
      "when only junk came and the count is missing",
      { ...countOf(null, 0), notStrings: 4 },
      "member_count is missing",
    ],
    ["when nothing came but members were counted", countOf(3, 0), "member_count is 3, but 0"],
  ])("%s", (_, given, words) => {
    expect(proveSnapshot({ ...whole, ...given })).toContain(words);
  });
});

test("a segment is older than nothing where nothing is known", () => {
  expect(whyOlder(at, {})).toBeUndefined();
});

function countOf(memberCount: number | null, distinctReceived: number) {
  const counted = { ...segment, memberCount };
  return { before: counted, after: counted, distinctReceived };
}
