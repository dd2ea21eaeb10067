import { describe, expect, test } from "vitest";
import { defaultOptions, type ShownConfig } from "../../../src/contracts/connector-config.ts";
import type { RunSummary } from "../../../src/contracts/run.ts";
import { newConnectorState, type ConnectorState } from "../../../src/workflows/connector-state.ts";
import type { Status } from "../../../src/workflows/connector-status.ts";
import { connectorDetails, connectorView } from "../../../src/workflows/connector-view.ts";

const key = { tenant_slug: "acme", segment_id: 7 };
const config: ShownConfig = {
  ...defaultOptions(7),
  rest_endpoint: "https://rest.iad-01.braze.com",
  api_key: "***",
};

function state(changes: Partial<ConnectorState> = {}): ConnectorState {
  return { ...newConnectorState(undefined), status: "active", config, ...changes };
}

function run(changes: Partial<RunSummary> = {}): RunSummary {
  return {
    number: 3,
    workflow_id: "braze/acme/7/run/3",
    outcome: "clean",
    reason: "recompute",
    entered: 12,
    exited: 3,
    rejected: 0,
    unknown: 0,
    waiting: 0,
    requests: 2,
    resent: 0,
    computed_at: "2026-05-02T14:00:00Z",
    member_count: 3482,
    segment_name: "High LTV Buyers",
    started_at: "2026-05-02T14:31:00Z",
    finished_at: "2026-05-02T14:32:00Z",
    error: null,
    ...changes,
  };
}

const error = { code: "braze_key_rejected", message: "Braze answered 401" };

describe("the view", () => {
  test.each<[Status, string]>([
    ["opening", "inactive"],
    ["none", "inactive"],
    ["inactive", "inactive"],
    ["active", "active"],
    ["error", "error"],
    ["blocked", "error"],
    ["removing", "inactive"],
    ["removed", "inactive"],
  ])("%s is shown as %s, in SegOps' three words", (status, shown) => {
    expect(connectorView(key, state({ status })).status).toBe(shown);
  });

  test("it has exactly the fields that CONTRACT names", () => {
    expect(Object.keys(connectorView(key, state())).toSorted()).toEqual(
      (
        "id tenant_slug segment segment_name connector_type status config last_synced_at last_error last_error_code " +
        "member_count channels pending_removal current_run last_run"
      )
        .split(" ")
        .toSorted(),
    );
  });

  test.each([
    [
      "a failed run's, while the connector is in error",
      { status: "error" as const, lastRun: run({ outcome: "failed", error }) },
    ],
    ["a run's that was cut short", { lastRun: run({ outcome: "partial", error }) }],
    ["the log's, while it cannot be opened", { status: "blocked" as const, blockedBy: error }],
  ])("the error shown is %s", (_what, changes) => {
    expect(connectorView(key, state(changes))).toMatchObject({
      last_error: error.message,
      last_error_code: error.code,
    });
  });

  test("an error that was mended is not shown any more", () => {
    const mended = connectorView(key, state({ lastRun: run({ outcome: "failed", error }) }));
    expect(mended).toMatchObject({ status: "active", last_error: "", last_error_code: "" });
    expect(connectorView(key, state({ lastRun: run() }))).toMatchObject({ last_error: "" });
  });

  test("it is plain JSON, also before anything is known", () => {
    for (const of of [newConnectorState(undefined), state({ lastRun: run() })]) {
      const view = connectorView(key, of);
      expect(JSON.parse(JSON.stringify(view))).toEqual(view);
    }
  });
});

describe("what the Temporal UI shows", () => {
  test("segment, host, state and the last run's counts", () => {
    const channels = [{ channel: "attribute:vip", delivered: 10, rejected: 2, unknown: 1, waiting: 3 }];
    const details = connectorDetails(
      key,
      state({ segmentName: "High LTV Buyers", lastRun: run(), channels }),
    );
    for (const words of [
      "**High LTV Buyers** → rest.iad-01.braze.com · active",
      "Run 3: clean, 12 entered, 3 exited, 0 rejected",
      "`attribute:vip`: 10 delivered, 2 rejected, 1 unknown, 3 waiting",
      "Waiting for a recompute",
    ])
      expect(details).toContain(words);
  });

  test("a run under way, instead of waiting", () => {
    const currentRun = {
      number: 4,
      workflow_id: "braze/acme/7/run/4",
      reason: "sync",
      computed_at: null,
      started_at: "2026-05-02T15:00:00Z",
    };
    const details = connectorDetails(key, state({ currentRun }));
    expect(details).toContain("Run 4 since 2026-05-02T15:00:00Z (sync)");
    expect(details).not.toContain("Waiting");
  });

  test("a connector that was never created, without an endpoint", () => {
    const details = connectorDetails(key, state({ status: "none", config: null }));
    expect(details).toContain("Segment 7");
    expect(details).toContain("No connector was ever created");
  });

  test("signals that were no recompute", () => {
    expect(connectorDetails(key, state({ ignoredSignals: 2 }))).toContain("2 signals were no recompute");
  });
});
