import { describe, expect, test } from "vitest";
import {
  CodedError,
  errorCodeOf,
  errorHalves,
  errorMessage,
  errorTable,
  isErrorCode,
} from "../../../src/contracts/errors.ts";

describe("every coded error", () => {
  test.each(Object.entries(errorTable))("%s has a code, a status, words and a remedy", (code, row) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(row.status).toBeGreaterThanOrEqual(400);
    expect(row.status).toBeLessThan(600);
    expect(row.message).not.toMatch(/\.$/);
    expect(row.remedy).toMatch(/^[A-Z].*\.$/s);
  });
});

test("a message says what happened, the detail, then what to do", () => {
  expect(errorMessage("segment_not_found", "HTTP 404")).toBe(
    `SegOps does not know this segment (HTTP 404). ${errorTable.segment_not_found.remedy}`,
  );
  expect(errorMessage("segment_not_found")).not.toContain("(");
});

test("a message is told apart into what happened and what to do; one that is not ours stays whole", () => {
  const { remedy } = errorTable.segment_not_found;
  const message = errorMessage("segment_not_found", "HTTP 404");
  const what = "SegOps does not know this segment (HTTP 404).";
  expect(errorHalves("segment_not_found", message)).toEqual({ what, remedy });
  expect(errorHalves("segment_not_found", "gone")).toEqual({ what: "gone", remedy });
  expect(errorHalves("of_a_later_release", message)).toEqual({ what: message, remedy: "" });
});

test("a coded error carries code, detail, wait and cause", () => {
  const cause = new Error("socket");
  const error = new CodedError("braze_rate_limited", "HTTP 429", { cause, retryAfterMs: 1500 });
  expect(error).toMatchObject({
    name: "CodedError",
    code: "braze_rate_limited",
    detail: "HTTP 429",
    retryAfterMs: 1500,
    message: errorMessage("braze_rate_limited", "HTTP 429"),
  });
  expect(error.cause).toBe(cause);
  expect(new CodedError("unexpected")).not.toHaveProperty("cause");
});

test.each([
  ["a coded error", new CodedError("ledger_missing"), "ledger_missing"],
  [
    "an error without a code of ours",
    Object.assign(new Error("x"), { code: "ledger_missing" }),
    "unexpected",
  ],
  ["a text", "ledger_missing", "unexpected"],
  ["nothing", undefined, "unexpected"],
])("the code of %s is told", (_, error, code) => {
  expect(errorCodeOf(error)).toBe(code);
});

test.each([
  ["segment_not_found", true],
  ["SEGMENT_NOT_FOUND", false],
  ["toString", false],
  ["__proto__", false],
  ["", false],
])("%j as a code: %s", (text, known) => {
  expect(isErrorCode(text)).toBe(known);
});
