import { expect, test } from "vitest";
import { connectorCard, runLine } from "../../../src/cli/connector-card.ts";
import { errorMessage, errorTable } from "../../../src/contracts/errors.ts";
import { connectorView, runSummary } from "./connector-view.ts";

test("a connector in error shows what happened and, apart from it, what to do", () => {
  const view = connectorView({
    status: "error",
    last_error: errorMessage("braze_key_rejected", "HTTP 401"),
    last_error_code: "braze_key_rejected",
  });
  const lines = connectorCard(view).split("\n");
  expect(lines).toContain(
    `  last error   ${errorTable.braze_key_rejected.message} (HTTP 401). [braze_key_rejected]`,
  );
  expect(lines).toContain(`  what to do   ${errorTable.braze_key_rejected.remedy}`);
});

test("exits that are held are shown with the command that lets them go, and what to do if they must not", () => {
  const digest = "5d".repeat(32);
  const lines = connectorCard(connectorView({ pending_removal: { digest, users: 240 } })).split("\n");
  expect(lines).toContain("  held         240 exits wait for a person; Braze still shows these users");
  expect(lines).toContain(
    `  what to do   if so many are to leave: connector approve-removal acme/7 --digest ${digest}`,
  );
  expect(lines.join("\n")).toContain("its next recompute takes them back");
  expect(connectorCard(connectorView())).not.toContain("held");
});

test("a healthy connector shows its channels in columns, its last run and its settings, the key masked", () => {
  const view = connectorView({
    member_count: 3482,
    last_synced_at: "2026-05-02T14:32:00Z",
    last_run: runSummary(4),
    channels: [
      { channel: "attribute:segops_segment_7", delivered: 3480, rejected: 2, unknown: 0, waiting: 0 },
    ],
  });
  const card = connectorCard(view);
  expect(card).toContain("acme/7  High LTV Buyers, 3482 members");
  expect(card).toMatch(
    /CHANNEL +DELIVERED +REJECTED +UNKNOWN +WAITING\nattribute:segops_segment_7 +3480 +2 +0 +0\n/,
  );
  expect(card).toContain("run 4 (sync): clean, 12 entered, 3 exited, 1 rejected, ended 2026-05-02T14:32:00Z");
  expect(card).toMatch(/api_key +\*\*\*/);
  expect(card).not.toContain("last error");
});

test("a connector that is still without configuration can be shown", () => {
  expect(connectorCard(connectorView({ config: { api_key: "***" } as never }))).toContain("never");
});

test("a running run tells its phase, how far it is and how long it still takes", () => {
  const run = { number: 5, workflow_id: "w", reason: "recompute", computed_at: null, started_at: "" };
  const progress = {
    phase: "tracking entered users" as const,
    users_done: 20_000,
    users_total: 50_000,
    users_per_second: 2500,
    eta_seconds: 12,
    last_error: "",
  };
  expect(runLine({ ...run, progress })).toBe(
    "run 5 (recompute): tracking entered users, 40 % of 50000 users, about 12 s to go",
  );
  expect(runLine({ ...run, progress: { ...progress, phase: "comparing", users_total: 0 } })).toBe(
    "run 5 (recompute): comparing",
  );
  expect(runLine(run)).toBe("run 5 (recompute)");
});

test.each([
  [{ checked: 500, wrong: 2, skipped: null }, "500 users read back, 2 of them wrong in Braze"],
  [
    { checked: 0, wrong: 0, skipped: "braze_permission_missing" },
    "skipped: the key may not read users (permission users.export.ids)",
  ],
  [
    { checked: 50, wrong: 0, skipped: "braze_timeout" },
    "50 users read back, 0 of them wrong in Braze; then stopped: braze_timeout",
  ],
])("what was read back from Braze is told in one line: %o", (verification, line) => {
  const view = connectorView({ last_run: runSummary(4, { verification }) });
  expect(connectorCard(view).split("\n")).toContain(`  verified     ${line}`);
});
