import { describe, expect, test } from "vitest";
import { maxTrackBatchSizeUsers } from "../../../src/contracts/channel.ts";
import {
  configChangeSchema,
  connectorConfigSchema,
  defaultOptions,
  fieldIssues,
  maskedKey,
  mergeConfig,
  showConfig,
} from "../../../src/contracts/connector-config.ts";
import type { ConfigChange, ConnectorConfig } from "../../../src/contracts/connector-config.ts";

const sealed = "eyJhbGciOiJ4In0.a2V5.aXY.Y2lwaGVy.dGFn";
const otherSealed = "eyJhbGciOiJ4In0.b3RoZXI.aXY.Y2lwaGVy.dGFn";
const clearKey = "b8f1a7c2-0000-braze";
const stored: ConnectorConfig = {
  rest_endpoint: "https://rest.iad-01.braze.com",
  api_key: sealed,
  segment_id: "group-1",
  ...defaultOptions(7),
};

describe("a configuration change", () => {
  test.each<[string, object]>([
    ["nothing", {}],
    ["SegOps' three fields", { rest_endpoint: stored.rest_endpoint, api_key: sealed, segment_id: "g_1" }],
    ["the masked key", { api_key: maskedKey }],
    ["an emptied segment_id", { segment_id: "" }],
    ["a segment_id of null", { segment_id: null }],
    [
      "every option",
      {
        attribute_name: "vip_1",
        exit_mode: "set_false",
        create_missing_users: false,
        max_removal_percent: 0,
        requests_per_second: 1,
        batch_size: 75,
      },
    ],
    ["options back to their defaults", { attribute_name: null, exit_mode: null, batch_size: null }],
  ])("may hold %s", (_, change) => {
    expect(configChangeSchema([]).safeParse(change).error).toBeUndefined();
  });

  test.each<[string, unknown, string]>([
    ["rest_endpoint", "https://example.org", "not a Braze REST host"],
    ["rest_endpoint", "https://rest.iad-01.braze.com/", "slash"],
    ["api_key", clearKey, "sealed"],
    ["api_key", "", "sealed"],
    ["api_key", "a.b.c", "sealed"],
    ["segment_id", "a b", "subscription group"],
    ["segment_id", "x".repeat(101), "subscription group"],
    ["attribute_name", "", "lowercase"],
    ["attribute_name", "Segment", "lowercase"],
    ["attribute_name", "_update_existing_only", "lowercase"],
    ["attribute_name", "$add", "lowercase"],
    ["attribute_name", "a".repeat(101), "lowercase"],
    ["attribute_name", "email", "profile fields"],
    ["attribute_name", "external_id", "profile fields"],
    ["exit_mode", "delete", "remove or set_false"],
    ["create_missing_users", "yes", "true or false"],
    ["max_removal_percent", -1, "at least 0"],
    ["max_removal_percent", 101, "at most 100"],
    ["max_removal_percent", "30", "from 0 to 100"],
    ["max_removal_percent", Number.NaN, "from 0 to 100"],
    ["requests_per_second", 0, "at least 1"],
    ["requests_per_second", 10_001, "at most 10000"],
    ["requests_per_second", 1.5, "whole number"],
    ["batch_size", 0, "at least 1"],
    ["batch_size", 76, "at most 75"],
    ["batch_size", "75", "whole number"],
  ])("whose %s is %j is refused by that name", (field, value, words) => {
    const { error } = configChangeSchema([]).safeParse({ [field]: value });
    const issues = error ? fieldIssues(error) : [];
    expect(issues.map((issue) => issue.field)).toContain(field);
    expect(issues.map((issue) => issue.message).join()).toContain(words);
    expect(issues.map((issue) => issue.message).join()).not.toContain(clearKey);
  });

  test("with unknown fields is refused by their names, and without their values", () => {
    const { error } = configChangeSchema([]).safeParse({ apikey: clearKey, colour: 1 });
    const [issue] = error ? fieldIssues(error) : [];
    expect(issue?.message).toMatch(/^unknown configuration field: apikey, colour; known are .*rest_endpoint/);
    expect(JSON.stringify(issue)).not.toContain(clearKey);
  });

  test.each([null, undefined, "config", 7, []])("that is %j is refused as a whole", (change) => {
    const { error } = configChangeSchema([]).safeParse(change);
    expect(error && fieldIssues(error)).toMatchObject([{ field: "(whole)" }]);
  });
});

describe("a change laid over what is stored", () => {
  const merge = (change: ConfigChange, base: ConnectorConfig | undefined = stored) =>
    mergeConfig(base, change, 7);

  test("to a new connector fills in every default", () => {
    const change = { rest_endpoint: stored.rest_endpoint, api_key: sealed };
    expect(mergeConfig(undefined, change, 7)).toEqual({
      config: {
        ...change,
        attribute_name: "segops_segment_7",
        exit_mode: "remove",
        create_missing_users: true,
        max_removal_percent: 30,
        requests_per_second: 1000,
        batch_size: 75,
      },
    });
  });

  test.each<[string, ConfigChange, Partial<ConnectorConfig>]>([
    ["nothing changes nothing", {}, {}],
    ["the masked key keeps the stored one", { api_key: maskedKey }, {}],
    ["a new key replaces it", { api_key: otherSealed }, { api_key: otherSealed }],
    ["a field replaces its own", { batch_size: 10 }, { batch_size: 10 }],
    [
      "false and 0 are values",
      { create_missing_users: false, max_removal_percent: 0 },
      { create_missing_users: false, max_removal_percent: 0 },
    ],
    ["null forgets the subscription group", { segment_id: null }, { segment_id: undefined }],
    ["an empty text forgets it too", { segment_id: "" }, { segment_id: undefined }],
    [
      "another endpoint comes with its key",
      { rest_endpoint: "https://rest.fra-01.braze.eu", api_key: otherSealed },
      { rest_endpoint: "https://rest.fra-01.braze.eu", api_key: otherSealed },
    ],
    ["the same endpoint needs no key", { rest_endpoint: stored.rest_endpoint, api_key: maskedKey }, {}],
  ])("%s", (_, change, expected) => {
    expect(merge(change)).toEqual({ config: { ...stored, ...expected } });
  });

  test("null returns an option to its default", () => {
    expect(merge({ batch_size: null }, { ...stored, batch_size: 10 })).toEqual({ config: stored });
  });

  test.each([
    ["no key", {}],
    ["the masked key", { api_key: maskedKey }],
    ["the key that was sealed for the old host", { api_key: sealed }],
  ])("another endpoint with %s is refused: the key belongs to one host", (_, change) => {
    expect(merge({ rest_endpoint: "https://rest.fra-01.braze.eu", ...change })).toEqual({
      issues: [{ field: "api_key", message: expect.stringContaining("required again") }],
    });
  });

  test.each([
    ["rest_endpoint", { api_key: sealed }],
    ["api_key", { rest_endpoint: stored.rest_endpoint }],
    ["api_key", { rest_endpoint: stored.rest_endpoint, api_key: maskedKey }],
  ])("a new connector without %s is refused by that name", (field, change) => {
    expect(mergeConfig(undefined, change, 7)).toEqual({
      issues: [{ field, message: expect.stringContaining("is required") }],
    });
  });
});

test("unless told otherwise, a request is as full as Braze allows", () => {
  expect(defaultOptions(7).batch_size).toBe(maxTrackBatchSizeUsers);
});

test("a configuration is shown with its key masked and everything else as it is", () => {
  expect(showConfig(stored)).toEqual({ ...stored, api_key: "***" });
});

test("a stored configuration never holds a mask or a key in clear", () => {
  for (const api_key of [maskedKey, clearKey]) {
    expect(connectorConfigSchema.safeParse({ ...stored, api_key }).success).toBe(false);
  }
});
