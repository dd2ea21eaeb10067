import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  commitKey,
  commitSchema,
  configKey,
  connectorFolder,
  fileRefSchema,
  ledgerRefSchema,
  planKey,
} from "../../../src/contracts/log.ts";

const folder = connectorFolder({ tenant_slug: "acme", segment_id: 7 });
const file = { key: `${folder}snapshots/a.parquet`, rows: 3, bytes: 400, sha256: "0".repeat(64) };

test("entries have the names that the storage's documentation gives", () => {
  expect(planKey(folder, 42)).toBe("connectors/acme/7/log/000000000042.plan.json");
  expect(commitKey(folder, 42)).toBe("connectors/acme/7/log/000000000042.commit.json");
  expect(configKey(folder, 3)).toBe("connectors/acme/7/config/000000000003.json");
});

test("entries sort by name as by number", () => {
  const number = fc.integer({ min: 1, max: 999_999_999_999 });
  fc.assert(
    fc.property(number, number, (a, b) => {
      expect(Math.sign(a - b)).toBe(
        Number(planKey(folder, a) > planKey(folder, b)) - Number(planKey(folder, a) < planKey(folder, b)),
      );
    }),
  );
});

test("a connector's folder holds no other connector's entries", () => {
  expect(planKey(connectorFolder({ tenant_slug: "acme", segment_id: 71 }), 1).startsWith(folder)).toBe(false);
});

describe("a reference to a file", () => {
  test("is taken whole", () => {
    expect(fileRefSchema.parse(file)).toEqual(file);
  });

  test.each([
    ["sha256", { ...file, sha256: "0".repeat(63) }],
    ["sha256", { ...file, sha256: "A".repeat(64) }],
    ["rows", { ...file, rows: -1 }],
    ["rows", { ...file, rows: undefined }],
    ["bytes", { ...file, bytes: 1.5 }],
    ["key", { ...file, key: undefined }],
  ])("is refused by its %s", (field, given) => {
    expect(fileRefSchema.safeParse(given).error?.issues.map((issue) => issue.path.join("."))).toEqual([
      field,
    ]);
  });
});

test.each(["attribute:", "group:1", ""])("a ledger of the channel %j is refused", (channel) => {
  const counts = { delivered: 0, rejected: 0, unknown: 0, waiting: 0 };
  const ledger = {
    channel,
    rest_endpoint: "https://rest.iad-01.braze.com",
    config_number: 1,
    base: null,
    exceptions: null,
    counts,
    retry_at: null,
  };
  expect(ledgerRefSchema.safeParse({ ...ledger, channel: "attribute:a" }).success).toBe(true);
  expect(ledgerRefSchema.safeParse(ledger).error?.issues[0]?.path).toEqual(["channel"]);
});

test("a commit of a later format is refused, and not half understood", () => {
  const { error } = commitSchema.safeParse({ version: 2, kind: "commit" });
  expect(error?.issues.map((issue) => issue.path.join("."))).toContain("version");
});
