import { describe, expect, test } from "vitest";
import { noProgress, type PartProgress, type PlannedDelta } from "../../../src/contracts/run.ts";
import { progressDetails, RunTracker } from "../../../src/workflows/run-progress.ts";

const entered: PlannedDelta = { channel: "attribute:vip", direction: "entered", users: 30, parts: 3 };
const exited: PlannedDelta = { channel: "attribute:vip", direction: "exited", users: 10, parts: 1 };
const minute = 60_000;

function upTo(cursor: number): PartProgress {
  return { ...noProgress, cursor, attempted: cursor };
}

function planned(): RunTracker {
  const tracker = new RunTracker(0);
  tracker.planned([entered, exited], 0);
  return tracker;
}

describe("parts", () => {
  test("a part that was never started is not listed", () => {
    const tracker = planned();
    tracker.startPart(entered, 1);
    expect(tracker.outcomes().map(({ part }) => part)).toEqual([1]);
  });

  test("a part that was started and is not heard of may have been sent", () => {
    const tracker = planned();
    expect(tracker.startPart(entered, 0)).toEqual(noProgress);
    expect(tracker.outcomes()).toMatchObject([{ reported: false, progress: { cursor: 0 } }]);
  });

  test("a part of which an attempt was lost stays unreported, whatever a later one says", () => {
    const tracker = planned();
    tracker.startPart(entered, 0);
    tracker.settlePart(entered, 0, upTo(2), false, minute);
    tracker.startPart(entered, 0);
    tracker.settlePart(entered, 0, upTo(4), true, minute);
    expect(tracker.outcomes()).toMatchObject([{ reported: false, progress: { cursor: 4 } }]);
    tracker.startPart(entered, 1);
    tracker.losePart(entered, 1);
    tracker.settlePart(entered, 1, upTo(1), true, minute);
    expect(tracker.outcomes()[1]).toMatchObject({ reported: false });
  });

  test("a part that is begun once more goes on from its cursor, and is unreported until it says so again", () => {
    const tracker = planned();
    tracker.startPart(entered, 0);
    tracker.settlePart(entered, 0, upTo(4), true, minute);
    expect(tracker.outcomes()).toMatchObject([{ reported: true }]);
    expect(tracker.startPart(entered, 0)).toEqual(upTo(4));
    expect(tracker.outcomes()).toMatchObject([{ reported: false, progress: { cursor: 4 } }]);
  });

  test("a late report never moves a cursor back", () => {
    const tracker = planned();
    tracker.startPart(entered, 0);
    tracker.settlePart(entered, 0, upTo(8), true, minute);
    tracker.settlePart(entered, 0, upTo(3), false, minute);
    expect(tracker.outcomes()).toMatchObject([{ progress: { cursor: 8 } }]);
  });

  test("what was attempted without moving the cursor is kept", () => {
    const tracker = planned();
    tracker.startPart(entered, 0);
    tracker.settlePart(entered, 0, { ...noProgress, attempted: 7 }, true, minute);
    expect(tracker.outcomes()).toMatchObject([{ progress: { cursor: 0, attempted: 7 } }]);
  });

  test("the same part number of two directions is two parts", () => {
    const tracker = planned();
    tracker.startPart(entered, 0);
    tracker.startPart(exited, 0);
    tracker.settlePart(entered, 0, upTo(5), true, minute);
    expect(tracker.outcomes().map(({ direction, progress }) => [direction, progress.cursor])).toEqual([
      ["entered", 5],
      ["exited", 0],
    ]);
  });
});

describe("stalling", () => {
  test("a run stalls 15 minutes after its plan if no part comes further", () => {
    const tracker = new RunTracker(0);
    tracker.planned([entered], 5 * minute);
    expect(tracker.stallsInMs(19 * minute)).toBe(minute);
    expect(tracker.stallsInMs(20 * minute)).toBe(0);
  });

  test("any part that comes further gives the run another 15 minutes", () => {
    const tracker = planned();
    tracker.startPart(entered, 0);
    tracker.startPart(entered, 1);
    tracker.settlePart(entered, 1, upTo(1), false, 14 * minute);
    expect(tracker.stallsInMs(15 * minute)).toBe(14 * minute);
  });

  test("a report that comes no further gives nothing", () => {
    const tracker = planned();
    tracker.startPart(entered, 0);
    tracker.settlePart(entered, 0, upTo(4), true, minute);
    tracker.settlePart(entered, 0, upTo(4), true, 10 * minute);
    expect(tracker.stallsInMs(10 * minute)).toBe(6 * minute);
    expect(tracker.hasMoved(entered, 0, upTo(4))).toBe(false);
    expect(tracker.hasMoved(entered, 0, upTo(3))).toBe(true);
  });
});

describe("what the Temporal UI shows", () => {
  test("users, rate and time to go are counted over all parts from the start of sending", () => {
    const tracker = planned();
    tracker.enter("tracking entered users");
    tracker.startPart(entered, 0);
    tracker.startPart(entered, 1);
    tracker.settlePart(entered, 0, upTo(10), true, 1000);
    tracker.settlePart(entered, 1, upTo(10), true, 2000);
    const progress = tracker.progress(2000);
    expect(progress).toMatchObject({ users_done: 20, users_total: 40 });
    const late = new RunTracker(0);
    late.planned([entered], 1000);
    late.startPart(entered, 0);
    late.settlePart(entered, 0, upTo(10), true, 3000);
    expect(late.progress(3000)).toMatchObject({ users_per_second: 5, eta_seconds: 4 });
  });

  test("before anything was planned nothing is divided by zero", () => {
    const progress = new RunTracker(0).progress(0);
    expect(progress).toMatchObject({ users_done: 0, users_total: 0, users_per_second: 0, eta_seconds: null });
    expect(progressDetails(progress)).not.toMatch(/NaN|Infinity|%/);
  });

  test("phase, share and the last error are told", () => {
    const tracker = planned();
    tracker.enter("unsetting exited users");
    tracker.startPart(entered, 0);
    tracker.settlePart(entered, 0, upTo(10), true, 1000);
    tracker.failed("Braze answered with a server error");
    const details = progressDetails(tracker.progress(1000));
    for (const words of [
      "unsetting exited users",
      "10 of 40 users (25 %)",
      "Braze answered with a server error",
    ])
      expect(details).toContain(words);
  });
});
