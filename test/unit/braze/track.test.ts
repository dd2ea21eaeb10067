import { describe, expect, test } from "vitest";
import { trackRequest } from "../../../src/braze/track.ts";

const entered = {
  attributeName: "segops_segment_7",
  direction: "entered",
  exit_mode: "remove",
  create_missing_users: true,
} as const;

describe("a /users/track batch", () => {
  test("has one object per user, in the order given, with the id as a string", () => {
    const request = trackRequest(["123", 'o"brien', "ü😀 x"], entered);
    expect(request.body).toBe(
      '{"attributes":[{"external_id":"123","segops_segment_7":true},{"external_id":"o\\"brien","segops_segment_7":true},{"external_id":"ü😀 x","segops_segment_7":true}]}',
    );
    expect(request).toMatchObject({
      path: "/users/track",
      limiter: "track",
      userIds: ["123", 'o"brien', "ü😀 x"],
    });
  });

  test("creates nobody when missing users are not to be created", () => {
    expect(trackRequest(["a"], { ...entered, create_missing_users: false }).body).toBe(
      '{"attributes":[{"external_id":"a","segops_segment_7":true,"_update_existing_only":true}]}',
    );
  });

  test.each([
    ["remove", "null"],
    ["set_false", "false"],
  ] as const)("of users who leave writes %s as %s and never creates them", (exit_mode, value) => {
    expect(trackRequest(["a"], { ...entered, direction: "exited", exit_mode }).body).toBe(
      `{"attributes":[{"external_id":"a","segops_segment_7":${value},"_update_existing_only":true}]}`,
    );
  });
});
