import { describe, expect, test } from "vitest";
import { EnvironmentError, parseEnvironment } from "../../../src/contracts/environment.ts";

function problemsOf(variables: Record<string, string>): string[] {
  try {
    parseEnvironment(variables);
  } catch (error) {
    if (error instanceof EnvironmentError) return error.problems;
    throw error;
  }
  return [];
}

test("an empty environment has every documented default", () => {
  expect(parseEnvironment({ PATH: "/bin", STORAGE_URL: "" })).toMatchObject({
    STORAGE_URL: "file:./data",
    DUCKDB_MEMORY_LIMIT: "2GB",
    SEGOPS_API_URL: "https://api.segops.ai/api",
    ALLOWED_BRAZE_ORIGINS: [],
    METRICS_ADDRESS: "127.0.0.1:9464",
    LOG_LEVEL: "info",
    DELIVER_WORKERS: 1,
    QUIET_WINDOW_SECONDS: 420,
    VERIFY_SAMPLE_USERS: 500,
    RECONCILE_INTERVAL_SECONDS: 3600,
    CONTINUE_AS_NEW_AFTER_EVENTS: 500,
    PART_SECONDS: 60,
    CLEAN_UP_AFTER_DAYS: 30,
  });
});

test("values are read as what they are", () => {
  const given = {
    STORAGE_URL: "file:/var/lib/segops-braze",
    DUCKDB_MEMORY_LIMIT: "512 MiB",
    DUCKDB_THREADS: "4",
    SEGOPS_API_URL: "http://localhost:8000/api",
    ALLOWED_BRAZE_ORIGINS: "http://127.0.0.1:9797, https://proxy.example.org,",
    QUIET_WINDOW_SECONDS: "0",
    METRICS_ADDRESS: "0.0.0.0:9464",
  };
  expect(parseEnvironment(given)).toMatchObject({
    ...given,
    DUCKDB_THREADS: 4,
    ALLOWED_BRAZE_ORIGINS: ["http://127.0.0.1:9797", "https://proxy.example.org"],
    QUIET_WINDOW_SECONDS: 0,
  });
});

describe("a malformed value is refused by its variable's name", () => {
  test.each([
    ["STORAGE_URL", "./data", "file:<folder>"],
    ["STORAGE_URL", "ftp://host/data", "file:<folder>"],
    ["DUCKDB_MEMORY_LIMIT", "plenty", "must be a size"],
    ["DUCKDB_THREADS", "0", "whole number from 1 to 1024"],
    ["SEGOPS_API_URL", "api.segops.ai", "http or https address"],
    ["SEGOPS_API_URL", "ftp://api.segops.ai", "http or https address"],
    ["SEGOPS_API_URL", "https://api.segops.ai/api/", "slash"],
    ["ALLOWED_BRAZE_ORIGINS", "127.0.0.1:9797", "list of origins"],
    ["ALLOWED_BRAZE_ORIGINS", "http://127.0.0.1:9797/", "list of origins"],
    ["TRUST_PROXY", "true", "list of addresses"],
    ["TRUST_PROXY", "10.0.0.0/33", "list of addresses"],
    ["TRUST_PROXY", "10.0.0.7, proxy.example.org", "list of addresses"],
    ["METRICS_ADDRESS", "9464", "host:port"],
    ["METRICS_ADDRESS", "127.0.0.1:port", "host:port"],
    ["LOG_LEVEL", "loud", "one of trace, debug"],
    ["DELIVER_WORKERS", "0", "whole number from 1 to 1000"],
    ["DELIVER_WORKERS", "two", "whole number"],
    ["QUIET_WINDOW_SECONDS", "-1", "whole number"],
    ["VERIFY_SAMPLE_USERS", "501", "whole number from 0 to 500"],
    ["RECONCILE_INTERVAL_SECONDS", "1.5", "whole number"],
    ["PART_SECONDS", "601", "whole number from 1 to 600"],
    ["CLEAN_UP_AFTER_DAYS", "29", "whole number from 30"],
  ])("%s=%s", (name, value, words) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}: `));
    expect(problems[0]).toContain(words);
  });
});

test("every problem is listed at once, without the values", () => {
  const given = { DELIVER_WORKERS: "sk_live_pasted", LOG_LEVEL: "sk_live_pasted", PART_SECONDS: "0" };
  expect(problemsOf(given).map((problem) => problem.split(":")[0])).toEqual([
    "LOG_LEVEL",
    "DELIVER_WORKERS",
    "PART_SECONDS",
  ]);
  expect(() => parseEnvironment(given)).toThrow(/3 problems:\n {2}LOG_LEVEL: /);
  expect(problemsOf(given).join()).not.toContain("sk_live_pasted");
});
