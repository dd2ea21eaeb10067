import { expect, test } from "vitest";
import { retryAfterMs, spentWindowMs } from "../../../src/braze/rate-headers.ts";

const now = Date.parse("2026-05-02T14:32:00Z");
const epoch = String(now / 1000 + 37);

test.each([
  ["Braze's own header, in seconds", { "x-ratelimit-retry-after": "3", "retry-after": "9" }, 3000],
  ["the standard header in seconds", { "retry-after": "9" }, 9000],
  ["the standard header as a date", { "retry-after": "Sat, 02 May 2026 14:32:05 GMT" }, 5000],
  [
    "a spent window's reset as epoch seconds",
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset": epoch },
    37_000,
  ],
  [
    "a spent window's reset as seconds left",
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "37" },
    37_000,
  ],
])("how long to wait is read from %s", (_, headers, ms) => {
  expect(retryAfterMs(headers, now)).toBe(ms);
});

test("a burst limit with requests left in the hour does not wait for the hour's reset", () => {
  expect(
    retryAfterMs({ "x-ratelimit-remaining": "200000", "x-ratelimit-reset": "2900" }, now),
  ).toBeUndefined();
});

test("a header that cannot be read, or a moment that has passed, asks for no wait", () => {
  expect(retryAfterMs({ "retry-after": "soon" }, now)).toBeUndefined();
  expect(retryAfterMs({ "retry-after": "Sat, 02 May 2026 14:31:00 GMT" }, now)).toBe(0);
  expect(
    spentWindowMs({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now / 1000 - 5) }, now),
  ).toBe(0);
});

test("no header makes anyone wait for more than an hour", () => {
  expect(retryAfterMs({ "x-ratelimit-retry-after": "1777732320" }, now)).toBe(3_600_000);
});
