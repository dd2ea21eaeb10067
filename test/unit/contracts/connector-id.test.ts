import { describe, expect, test } from "vitest";
import {
  connectorKeySchema,
  connectorName,
  connectorWorkflowId,
  parseConnectorName,
  parseConnectorWorkflowId,
  runWorkflowId,
} from "../../../src/contracts/connector-id.ts";
import { fieldIssues } from "../../../src/contracts/connector-config.ts";

const key = { tenant_slug: "acme", segment_id: 7 };

test("a connector and its runs have the ids that callers of any language rely on", () => {
  expect(connectorWorkflowId(key)).toBe("braze/acme/7");
  expect(runWorkflowId(key, 42)).toBe("braze/acme/7/run/42");
  expect(connectorName(key)).toBe("acme/7");
});

describe("a name or workflow id", () => {
  test.each(["acme/7", "a/1", "a-b_c9/9007199254740991"])("%s is read and written back the same", (name) => {
    const parsed = parseConnectorName(name);
    expect(parsed && connectorName(parsed)).toBe(name);
    expect(parseConnectorWorkflowId(`braze/${name}`)).toEqual(parsed);
  });

  test.each([
    "",
    "acme",
    "acme/",
    "/7",
    "acme/0",
    "acme/-7",
    "acme/07",
    "acme/7.5",
    "acme/7 ",
    " acme/7",
    "acme/7/run/1",
    "acme/9007199254740993",
    "Acme/7",
    "../7",
    "-acme/7",
    "acme-/7",
    `${"a".repeat(65)}/7`,
  ])("%j is no connector's", (name) => {
    expect(parseConnectorName(name)).toBeUndefined();
    expect(parseConnectorWorkflowId(`braze/${name}`)).toBeUndefined();
  });

  test.each(["acme/7", "klaviyo/acme/7", "braze/acme/7/run/1"])("%s is no connector's workflow id", (id) => {
    expect(parseConnectorWorkflowId(id)).toBeUndefined();
  });
});

describe("a connector's key is refused by field", () => {
  test.each([
    ["tenant_slug", { tenant_slug: "", segment_id: 7 }, "tenant slug"],
    ["tenant_slug", { tenant_slug: "a/b", segment_id: 7 }, "tenant slug"],
    ["tenant_slug", { tenant_slug: "..", segment_id: 7 }, "tenant slug"],
    ["tenant_slug", { segment_id: 7 }, ""],
    ["segment_id", { tenant_slug: "acme", segment_id: 0 }, "positive whole number"],
    ["segment_id", { tenant_slug: "acme", segment_id: 7.5 }, "whole number"],
    ["segment_id", { tenant_slug: "acme", segment_id: "7" }, "whole number"],
    ["segment_id", { tenant_slug: "acme" }, "whole number"],
  ])("%s in %j", (field, given, words) => {
    const parsed = connectorKeySchema.safeParse(given);
    expect(parsed.error && fieldIssues(parsed.error)).toEqual([
      { field, message: expect.stringContaining(words) },
    ]);
  });
});
