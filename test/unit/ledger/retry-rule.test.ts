import { expect, test } from "vitest";
import { lastDistinctAttempt, retryAt } from "../../../src/ledger/retry-rule.ts";

const at = "2026-05-02T14:32:05.250Z";

test.each([
  [1, "2026-05-03T14:32:05.250Z"],
  [2, "2026-05-04T14:32:05.250Z"],
  [3, "2026-05-06T14:32:05.250Z"],
  [4, "2026-05-09T14:32:05.250Z"],
  [5, "2026-05-09T14:32:05.250Z"],
  [5000, "2026-05-09T14:32:05.250Z"],
])("a user rejected for the %d. time is tried again at %s", (attempts, expected) => {
  expect(retryAt("braze_user_rejected", attempts, at)).toBe(expected);
});

test.each(["braze_user_blocked", "braze_id_too_long"])("%s is never tried again by itself", (code) => {
  expect(retryAt(code, 1, at)).toBeNull();
});

test("the wait no longer grows after the last distinct attempt, and still grew at it", () => {
  const wait = (attempts: number) =>
    Date.parse(retryAt("braze_user_rejected", attempts, at) ?? "") - Date.parse(at);
  expect(wait(lastDistinctAttempt + 1)).toBe(wait(lastDistinctAttempt));
  expect(wait(lastDistinctAttempt)).toBeGreaterThan(wait(lastDistinctAttempt - 1));
});
