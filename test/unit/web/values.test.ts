import { describe, expect, test } from "vitest";
import { defaultOptions } from "../../../src/contracts/connector-defaults.ts";
import type { ConnectorView } from "../../../src/contracts/view.ts";
import {
  changedConfig,
  emptyValues,
  newConfig,
  typed,
  valuesOf,
  type FormValues,
} from "../../../web/src/forms/values.ts";

const config = {
  rest_endpoint: "https://rest.fra-01.braze.eu",
  api_key: "***" as const,
  ...defaultOptions(7),
};
const view = { segment: 7, config } as ConnectorView;
const stored = valuesOf(view);

function with_(values: FormValues, options: Partial<FormValues["options"]>): FormValues {
  return { ...values, options: { ...values.options, ...options } };
}

test("a new connector's config has the fields that were filled in, each in its own type", () => {
  const filled = { ...emptyValues, instance: "US-01", apiKey: " key ", segmentId: "" };
  expect(newConfig(filled)).toEqual({ rest_endpoint: "https://rest.iad-01.braze.com", api_key: "key" });
  const options = { batch_size: "50", create_missing_users: "false", exit_mode: "set_false" };
  expect(newConfig(with_(filled, options))).toMatchObject({
    batch_size: 50,
    create_missing_users: false,
    exit_mode: "set_false",
  });
});

test("what reads as no number is sent as it was typed, for the gateway to refuse in its own words", () => {
  expect(newConfig(with_(emptyValues, { batch_size: "many" }))).toEqual({ batch_size: "many" });
});

describe("a form of stored settings", () => {
  test("shows the instance by its name, another address as typed, and never a key", () => {
    expect(stored).toMatchObject({ instance: "EU-01", typedEndpoint: "", apiKey: "" });
    const own = { ...view, config: { ...config, rest_endpoint: "https://braze.example.org" } };
    expect(valuesOf(own)).toMatchObject({ instance: typed, typedEndpoint: "https://braze.example.org" });
  });

  test.each<[string, FormValues, Record<string, unknown>]>([
    ["nothing, where nothing was changed", stored, {}],
    ["a new key", { ...stored, apiKey: "key-2" }, { api_key: "key-2" }],
    ["no key, where the mask was typed", { ...stored, apiKey: "***" }, {}],
    [
      "another endpoint",
      { ...stored, instance: "US-02" },
      { rest_endpoint: "https://rest.iad-02.braze.com" },
    ],
    ["an emptied option as null, its default", with_(stored, { batch_size: "" }), { batch_size: null }],
    ["an option in its type", with_(stored, { max_removal_percent: "5" }), { max_removal_percent: 5 }],
  ])("sends %s", (_what, values, expected) => {
    expect(changedConfig(values, stored)).toEqual(expected);
  });
});
