import { expect, test } from "vitest";
import { quoteBraze, redact } from "../../../src/braze/redaction.ts";

const apiKey = "b5a0c1d2-key-77aa-9f3e";

test("every occurrence of a secret is masked, and no secret masks nothing", () => {
  expect(redact(`${apiKey} and ${apiKey}`, [apiKey])).toBe("*** and ***");
  expect(redact("plain", [""])).toBe("plain");
});

test("a text that names nobody is quoted, on one line, at most 200 characters", () => {
  const quoted = quoteBraze(`Max  Input\nLength ${"x".repeat(400)}`, { apiKey, userIds: ["user-1"] });
  expect(quoted).toMatch(/^Max Input Length x+$/);
  expect(quoted).toHaveLength(200);
});

test.each([
  ["as it is", "no such user user-4711 here", "user-4711"],
  ["escaped", "user o&#39;brien is unknown", "&#39;"],
  ["in another spelling", "USER 4711 is unknown", "user-4711"],
  ["cut short", "unknown: a-very-long-identifier-of-a-cus…", "a-very-long-identifier-of-a-customer"],
])("a text that holds a user's id %s is not quoted", (_, text, userId) => {
  expect(quoteBraze(text, { apiKey, userIds: ["someone-else", userId] })).toBe("");
});

test("a text that holds a piece of the key is not quoted, a whole key is masked", () => {
  expect(quoteBraze(`Invalid API key: ${apiKey.slice(0, 12)}…`, { apiKey, userIds: [] })).toBe("");
  expect(quoteBraze(`Invalid API key: ${apiKey}`, { apiKey, userIds: [] })).toBe("Invalid API key: ***");
});
