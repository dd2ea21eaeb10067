import { expect, test } from "vitest";
import { lookIntervalOf } from "../../../src/activities/look-interval.ts";

const hourMs = 3_600_000;
const intervals = Array.from({ length: 1_000 }, (_, segment_id) =>
  lookIntervalOf({ tenant_slug: "acme", segment_id }, hourMs),
);

test("a connector's interval is always the same, whichever worker says it", () => {
  const key = { tenant_slug: "acme", segment_id: 7 };
  expect(lookIntervalOf(key, hourMs)).toBe(lookIntervalOf({ ...key }, hourMs));
  expect(lookIntervalOf(key, hourMs)).not.toBe(lookIntervalOf({ ...key, tenant_slug: "globex" }, hourMs));
});

test("a thousand connectors look at times that are spread over a fifth of the interval", () => {
  expect(Math.min(...intervals)).toBeGreaterThanOrEqual(0.9 * hourMs);
  expect(Math.max(...intervals)).toBeLessThanOrEqual(1.1 * hourMs);
  const minutes = Array.from({ length: 12 }, () => 0);
  for (const interval of intervals)
    minutes[Math.min(11, Math.floor((interval - 0.9 * hourMs) / 60_000))]! += 1;
  expect(Math.min(...minutes)).toBeGreaterThan(50);
  expect(Math.max(...minutes)).toBeLessThan(120);
});
