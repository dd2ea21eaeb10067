import { expect, test } from "vitest";
import {
  nextStatus,
  statusMoves,
  type Status,
  type StatusEvent,
} from "../../../src/workflows/connector-status.ts";

const runFailed: StatusEvent = { type: "runEnded", failed: true };
const runSucceeded: StatusEvent = { type: "runEnded", failed: false };

test.each<[Status, StatusEvent, Status]>([
  ["none", { type: "configured" }, "inactive"],
  ["inactive", { type: "activated" }, "active"],
  ["inactive", runSucceeded, "inactive"],
  ["inactive", runFailed, "inactive"],
  ["active", { type: "configured" }, "active"],
  ["active", { type: "deactivated" }, "inactive"],
  ["active", runFailed, "error"],
  ["error", runSucceeded, "active"],
  ["error", runFailed, "error"],
  ["error", { type: "configured" }, "active"],
  ["error", { type: "deactivated" }, "inactive"],
  ["active", { type: "removing" }, "removing"],
  ["removing", runFailed, "removing"],
  ["removing", { type: "removed" }, "removed"],
  ["removing", { type: "configured" }, "inactive"],
  ["removing", { type: "activated" }, "active"],
  ["removing", { type: "deactivated" }, "inactive"],
  ["removed", { type: "configured" }, "inactive"],
])("from %s, %j leads to %s", (from, event, to) => {
  expect(nextStatus(from, event)).toBe(to);
});

test.each<[Status, StatusEvent]>([
  ["none", { type: "activated" }],
  ["none", { type: "removed" }],
  ["removed", { type: "activated" }],
  ["blocked", runFailed],
  ["opening", { type: "configured" }],
])("%s stays as it is on %j", (status, event) => {
  expect(nextStatus(status, event)).toBe(status);
});

test.each<[string, Status]>([
  ["active", "error"],
  ["inactive", "inactive"],
  ["removing", "removing"],
  ["removed", "removed"],
])(
  "a log whose settings say %s and whose last run failed opens as %s, whatever was before",
  (logged, opened) => {
    const config = logged as "active" | "inactive" | "removing" | "removed";
    for (const before of ["opening", "blocked", "active", "none"] as const)
      expect(nextStatus(before, { type: "opened", config, failed: true })).toBe(opened);
  },
);

test("a log without settings is that of a connector that was never created", () => {
  expect(nextStatus("opening", { type: "opened", config: null, failed: false })).toBe("none");
});

test("every state that a move leads to is one that moves can leave", () => {
  const reached = Object.values(statusMoves).flatMap((moves) => Object.values(moves));
  expect(reached.filter((status) => !(status in statusMoves))).toEqual([]);
});
