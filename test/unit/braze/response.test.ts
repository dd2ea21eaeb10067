import { describe, expect, test } from "vitest";
import { readAnswer } from "../../../src/braze/response.ts";
import { CodedError } from "../../../src/contracts/errors.ts";

const apiKey = "b5a0c1d2-key-77aa-9f3e";
const userIds = ["ann", "bob", "cid"];
const noneValid = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields.";

function read(status: number, body: unknown, headers: Record<string, string> = {}, ids = userIds) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readAnswer({ status, headers, body: text }, { userIds: ids, apiKey }, Date.now());
}

function failure(status: number, body: unknown, headers: Record<string, string> = {}): CodedError {
  try {
    read(status, body, headers);
  } catch (error) {
    if (error instanceof CodedError) return error;
  }
  throw new Error("expected a CodedError");
}

const named = (index: number, type = "'external_id' is odd", input_array = "attributes") => ({
  index,
  input_array,
  type,
});

describe("an answer that accepts", () => {
  test.each([200, 201])("with %i and no errors settles everybody", (status) => {
    expect(read(status, { attributes_processed: 3, message: "success" })).toEqual({
      kind: "accepted",
      rejected: [],
    });
  });

  test("queued during maintenance counts", () => {
    expect(read(202, { message: "queued" })).toEqual({ kind: "accepted", rejected: [] });
  });

  test("names rejected users by index, each once, the telling reason kept", () => {
    const errors = [
      named(1),
      named(1, "provided external_id is blacklisted and disallowed"),
      named(1),
      named(2, "EXTERNAL_USER_ID_TOO_LARGE"),
    ];
    expect(read(201, { attributes_processed: 1, errors, message: "success" })).toEqual({
      kind: "accepted",
      rejected: [
        { index: 1, code: "braze_user_blocked" },
        { index: 2, code: "braze_id_too_long" },
      ],
    });
  });

  test.each([
    ["BLACKLISTED_EXTERNAL_USER_ID", "braze_user_blocked"],
    ["(stand-in) 'external_id' is over 987 bytes", "braze_id_too_long"],
    ["BAD_EMAIL_SUBSCRIPTION_STATE", "braze_user_rejected"],
    ["words never seen before", "braze_user_rejected"],
  ])("maps %s to %s", (type, code) => {
    expect(read(201, { errors: [named(0, type)], message: "success" })).toMatchObject({
      rejected: [{ code }],
    });
  });
});

describe("an answer that does not say whom it means splits the batch", () => {
  test.each([
    ["an index past the batch", [named(3)]],
    ["a negative index", [named(-1)]],
    ["an index of another array", [named(0, "x", "events")]],
    ["plain strings", ["something is wrong"]],
    ["named and plain errors mixed", [named(0), "something is wrong"]],
    ["an object instead of a list", { attributes: "wrong" }],
  ])("%s in a 201", (_, errors) => {
    expect(read(201, { errors, message: "success" })).toEqual({ kind: "split", code: "braze_user_rejected" });
  });

  test("and a plain sentence still tells a single user's reason", () => {
    expect(read(201, { errors: ["provided external_id is blacklisted and disallowed"] })).toEqual({
      kind: "split",
      code: "braze_user_blocked",
    });
  });

  test.each([
    ["a 400 for too many users", 400, { message: "Max Input Length Exceeded" }],
    ["a 400 for too many ids", 400, { message: "The max number of ids per request was exceeded" }],
    ["a 413 without JSON", 413, "<html>413 Request Entity Too Large</html>"],
  ])("%s, which a single user cannot be", (_, status, body) => {
    expect(read(status, body)).toEqual({ kind: "split", code: "braze_request_refused" });
  });

  test("a 400 that names only some, or nobody though nobody was valid", () => {
    const expected = { kind: "split", code: "braze_user_rejected" };
    expect(read(400, { message: noneValid, errors: [named(0)] })).toEqual(expected);
    expect(read(400, { message: noneValid, errors: ["wrong"] })).toEqual(expected);
  });
});

test("a 400 whose errors name every user rejects every user, and stops nothing", () => {
  const answer = read(400, { message: noneValid, errors: [named(0), named(1), named(2)] });
  expect(answer).toMatchObject({ kind: "accepted", rejected: [{ index: 0 }, { index: 1 }, { index: 2 }] });
});

describe("an answer about the request as a whole", () => {
  test.each([
    [301, "braze_redirected"],
    [307, "braze_redirected"],
    [400, "braze_request_refused"],
    [401, "braze_key_rejected"],
    [403, "braze_permission_missing"],
    [404, "braze_endpoint_not_found"],
    [408, "braze_timeout"],
    [422, "braze_request_refused"],
    [429, "braze_rate_limited"],
    [500, "braze_unavailable"],
    [503, "braze_unavailable"],
  ])("%i is %s", (status, code) => {
    expect(failure(status, { message: "no" }).code).toBe(code);
  });

  test.each([
    ["truncated", '{"attributes_processed": 3, "mess'],
    ["HTML", "<html>hello</html>"],
    ["empty", ""],
    ["a list", "[]"],
    ["of another message", '{"message":"we will see"}'],
  ])("a 201 that is %s acknowledges nobody", (_, body) => {
    expect(failure(201, body).code).toBe("braze_answer_unreadable");
  });

  test("429 and 503 carry the wait that Braze asks for", () => {
    expect(failure(429, "", { "x-ratelimit-retry-after": "3" }).retryAfterMs).toBe(3000);
    expect(failure(503, "", { "retry-after": "2" }).retryAfterMs).toBe(2000);
    expect(failure(429, "").retryAfterMs).toBeUndefined();
  });

  test("a refusal is told in Braze's words, unless they name a user", () => {
    expect(failure(400, { message: "The attribute name is not allowed" }).message).toContain(
      "attribute name is not",
    );
    expect(failure(400, { message: "User bob is not allowed" }).message).not.toContain("bob");
  });

  test("the key that Braze echoes is in no error", () => {
    const echo = { message: `Invalid API key: ${apiKey}` };
    for (const status of [400, 401, 403, 404, 500]) {
      const error = failure(status, echo);
      expect(JSON.stringify([error.message, error.detail, error.stack, error.cause])).not.toContain(apiKey);
    }
    const unreadable = failure(201, `Invalid API key: ${apiKey}`);
    expect(JSON.stringify([unreadable.message, unreadable.stack, String(unreadable.cause)])).not.toContain(
      apiKey,
    );
  });
});
