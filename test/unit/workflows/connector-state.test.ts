import { array, assert, constantFrom, integer, property, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { carriedState, newConnectorState, transition } from "../../../src/workflows/connector-state.ts";
import { isCleanUpDue, isOvertaken, isRunUnwanted, nextStep } from "../../../src/workflows/connector-step.ts";
import { attachMs, ConnectorModel, computedAt, hourMs, type RunEnd } from "./connector-model.ts";

/** Created, active, its log read, and at rest after the first look. */
function active(): ConnectorModel {
  const model = new ConnectorModel();
  rest(model);
  model.ended = null;
  model.write("configured");
  model.write("activated");
  rest(model);
  return model;
}

/** Active, with the first recompute delivered. */
function delivered(): ConnectorModel {
  const model = active();
  model.signal(1);
  rest(model);
  expect(model.delivered).toBe(1);
  return model;
}

/** Until nothing is in flight and nothing is due; runs end as told. Answers how many steps that took. */
function rest(model: ConnectorModel, end: RunEnd = "clean", limit = 200): number {
  for (let steps = 1; steps <= limit; steps++) {
    model.settle();
    if (!model.inFlight && !model.outside) return steps;
    model.finish(end);
  }
  throw new Error("it never comes to rest");
}

describe("recomputes", () => {
  test("a recompute starts one run", () => {
    const model = active();
    model.signal(1);
    rest(model);
    expect(model.begun).toMatchObject([{ reason: "recompute", number: 1 }]);
  });

  test.each([
    ["once", [5]],
    ["ten times", [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ["out of order", [9, 3, 12, 5]],
  ])("a run during which newer recomputes come, %s, is followed by exactly one more", (_how, signals) => {
    const model = delivered();
    model.signal(2);
    model.settle();
    for (const n of signals) model.signal(n);
    rest(model);
    expect(model.begun).toHaveLength(3);
    expect(model.delivered).toBe(Math.max(...signals));
  });

  test("one that the run under way has fetched already needs no other run", () => {
    const model = delivered();
    model.sourceComputed = 9;
    model.signal(2);
    model.settle();
    model.signal(9);
    rest(model);
    expect(model.begun).toHaveLength(2);
  });

  test("what is not newer than what was delivered is forgotten, in any order and number", () => {
    const model = delivered();
    model.signal(7);
    rest(model);
    const before = model.begun.length;
    assert(
      property(array(integer({ min: 0, max: 7 }), { maxLength: 20 }), (signals) => {
        for (const n of signals) model.signal(n);
        rest(model);
        expect(model.begun).toHaveLength(before);
      }),
    );
  });

  test("one without a time runs once, also when it comes during a run", () => {
    const model = delivered();
    model.signalWithoutTime();
    model.settle();
    model.signalWithoutTime();
    model.signalWithoutTime();
    rest(model);
    expect(model.begun).toHaveLength(3);
  });

  test("what is no recompute is counted and starts nothing", () => {
    const model = delivered();
    model.apply({ type: "recomputed", recompute: undefined });
    rest(model);
    expect(model.state.ignoredSignals).toBe(1);
    expect(model.begun).toHaveLength(1);
  });

  test("a run that fails is not begun again by the recompute that it was for, but by a newer one", () => {
    const model = active();
    model.signal(1);
    rest(model, "failed");
    expect(model.begun).toHaveLength(1);
    expect(model.state.status).toBe("error");
    model.signal(2);
    rest(model);
    expect(model.state.status).toBe("active");
  });

  test("a newer recompute that came while a run failed is served at once", () => {
    const model = active();
    model.signal(1);
    model.settle();
    model.signal(2);
    model.finish("failed");
    rest(model);
    expect(model.delivered).toBe(2);
  });

  test("while inactive it is remembered and delivered on activation", () => {
    const model = delivered();
    model.write("deactivated");
    model.signal(2);
    rest(model);
    expect(model.begun).toHaveLength(1);
    model.write("activated");
    rest(model);
    expect(model.delivered).toBe(2);
  });

  test.each([
    ["newer than the run's", (model: ConnectorModel) => model.signal(3), true],
    ["without a time", (model: ConnectorModel) => model.signalWithoutTime(), true],
    ["the run's own, repeated", (model: ConnectorModel) => model.signal(2), false],
    ["older", (model: ConnectorModel) => model.signal(1), false],
  ])("a run is overtaken by a recompute that is %s: %#", (_which, come, overtaken) => {
    const model = delivered();
    model.signal(2);
    model.settle();
    come(model);
    expect(isOvertaken(model.state)).toBe(overtaken);
  });
});

describe("looks", () => {
  test("files of old runs are due a day after the log was opened, and each day after, also over continue-as-new", () => {
    const { state, now } = delivered();
    const dayMs = 24 * hourMs;
    expect([isCleanUpDue(state, now), isCleanUpDue(state, now + dayMs)]).toEqual([false, true]);
    const cleaned = transition(state, { type: "cleanedUp", at: now + dayMs });
    const carried = newConnectorState(carriedState(cleaned));
    for (const later of [cleaned, carried]) {
      expect([isCleanUpDue(later, now + 2 * dayMs - 1), isCleanUpDue(later, now + 2 * dayMs)]).toEqual([
        false,
        true,
      ]);
    }
  });

  test("a run that is due goes before files of old runs, but not for more than a day", () => {
    const { state, now } = delivered();
    const waiting = { ...state, newest: { computed_at: computedAt(9) } };
    const dayMs = 24 * hourMs;
    expect([isCleanUpDue(waiting, now + dayMs), isCleanUpDue(waiting, now + 2 * dayMs)]).toEqual([
      false,
      true,
    ]);
  });

  test("an hour after the last one the segment is looked at, and what is newer is run", () => {
    const model = delivered();
    model.sourceComputed = 2;
    model.pass(hourMs - 1);
    expect(model.next()).toMatchObject({ kind: "wait", ms: 1 });
    model.pass(1);
    rest(model);
    expect(model.delivered).toBe(2);
  });

  test("a look that fails waits an hour for the next", () => {
    const model = delivered();
    model.pass(hourMs);
    model.settle();
    model.inFlight = null;
    model.apply({ type: "looked", seen: null, at: model.now });
    expect(model.next()).toMatchObject({ kind: "wait", ms: hourMs });
  });

  test("a connector in error looks too, one that is inactive does not", () => {
    const model = delivered();
    model.signal(2);
    rest(model, "failed");
    model.pass(hourMs);
    expect(model.next().kind).toBe("look");
    model.write("deactivated");
    expect(model.next()).toEqual({ kind: "wait", ms: null });
  });
});

describe("runs that do not end well", () => {
  test("one cut short goes on at once, then after pauses that double from half a minute to a quarter of an hour", () => {
    const model = active();
    model.signal(1);
    model.settle();
    const pauses: number[] = [];
    for (let count = 0; count < 8; count++) {
      model.finish("partial");
      const step = model.next();
      pauses.push(step.kind === "wait" ? (step.ms ?? 0) : 0);
      model.pass(pauses.at(-1) ?? 0);
      model.settle();
    }
    expect(pauses.map((ms) => ms / 1000)).toEqual([0, 30, 60, 120, 240, 480, 900, 900]);
    model.finish("clean");
    expect(model.state.partialStreak).toBe(0);
  });

  test("one that ended without a word is closed, and tried again at the same pauses", () => {
    const model = active();
    model.signal(1);
    rest(model, "lost");
    expect(model.begun).toHaveLength(2);
    expect(model.next()).toMatchObject({ kind: "wait", ms: 30_000 });
    model.pass(30_000);
    rest(model);
    expect(model.delivered).toBe(1);
  });

  test("one that a person stopped is not begun again before the next look", () => {
    const model = active();
    model.signal(1);
    rest(model, "cancelled");
    expect(model.begun).toHaveLength(1);
    model.pass(hourMs);
    rest(model);
    expect(model.delivered).toBe(1);
  });

  test("a retry that is due and cannot be done is tried once an hour", () => {
    const model = delivered();
    model.retryDueForEver = true;
    model.signal(2);
    rest(model, "failed");
    const before = model.begun.length;
    for (let minutes = 0; minutes < 60; minutes++) {
      model.pass(60_000);
      rest(model, "failed");
    }
    // The look may bring one, the retry another.
    expect(model.begun.length - before).toBeLessThanOrEqual(2);
  });

  test("a run of the log that nobody works on is closed before anything else", () => {
    const model = active();
    model.signal(1);
    model.settle();
    model.terminate();
    model.signal(2);
    model.settle();
    model.finish();
    expect(model.next()).toEqual({ kind: "closeRun", number: 1 });
    rest(model);
    expect(model.delivered).toBe(2);
  });
});

describe("settings", () => {
  test("a connector that was never created ends, saying so; configuring creates it", () => {
    const model = new ConnectorModel();
    rest(model);
    expect(model.ended).toContain("no such connector was ever created");
  });

  test("an end waits for the updates that are being answered", () => {
    const model = new ConnectorModel();
    model.settle();
    model.finish();
    const around = { ...quiet, now: model.now, handlersBusy: true, continueAsNewSuggested: true };
    expect(nextStepOf(model, around)).toEqual({ kind: "wait", ms: null });
  });

  test("a changed configuration is a run of its own, and mends an error", () => {
    const model = delivered();
    model.signal(2);
    rest(model, "failed");
    model.write("configured");
    rest(model);
    expect(model.begun.at(-1)).toMatchObject({ reason: "config" });
    expect(model.state.status).toBe("active");
  });

  test("what changed while inactive is delivered on activation though nothing was computed since", () => {
    const model = delivered();
    model.write("deactivated");
    model.write("configured");
    rest(model);
    model.write("activated");
    rest(model);
    expect(model.begun.at(-1)).toMatchObject({ reason: "activated" });
  });

  test("a new connector whose segment was never computed does not run into an error", () => {
    expect(active().begun).toEqual([]);
  });

  test.each([
    ["deactivated", "deactivated", true],
    ["being removed", "removing", true],
    ["configured", "configured", false],
  ] as const)("a run is unwanted once the connector is %s: %#", (_how, change, unwanted) => {
    const model = delivered();
    model.signal(2);
    model.settle();
    model.write(change);
    expect(isRunUnwanted(model.state)).toBe(unwanted);
  });

  test("a run that unsets everyone is unwanted once the removal is taken back", () => {
    const model = delivered();
    model.write("removing");
    model.settle();
    expect(isRunUnwanted(model.state)).toBe(false);
    model.write("activated");
    expect(isRunUnwanted(model.state)).toBe(true);
  });

  test("a removal that is taken back while it waits never runs", () => {
    const model = delivered();
    model.signal(2);
    model.settle();
    model.write("removing");
    model.write("configured");
    model.write("activated");
    model.finish("cancelled");
    rest(model);
    expect(model.begun.map(({ reason }) => reason)).not.toContain("remove");
  });

  test("a removal unsets everyone, then is buried", () => {
    const model = delivered();
    model.write("removing");
    rest(model);
    expect(model.begun.at(-1)).toMatchObject({ reason: "remove", status: "removing" });
    expect(model.ended).toBe("the connector was removed");
  });

  test("a log that was read before a change is read once more", () => {
    const model = delivered();
    model.signal(2);
    model.settle();
    model.finish("lost");
    model.write("deactivated");
    model.finish();
    expect(model.state.status).toBe("opening");
    rest(model);
    expect(model.state.status).toBe("inactive");
    expect(model.begun).toHaveLength(2);
  });
});

describe("a log that cannot be opened", () => {
  function blocked(): ConnectorModel {
    const model = delivered();
    model.terminate();
    model.logBroken = true;
    rest(model);
    expect(model.state.status).toBe("blocked");
    return model;
  }

  test("is tried again an hour later", () => {
    const model = blocked();
    expect(model.next()).toMatchObject({ kind: "wait", ms: hourMs });
    model.logBroken = false;
    model.pass(hourMs);
    rest(model);
    expect(model.state.status).toBe("active");
  });

  test.each([
    ["a recompute", (model: ConnectorModel) => model.signal(2)],
    ["a recompute without a time", (model: ConnectorModel) => model.signalWithoutTime()],
    ["a sync", (model: ConnectorModel) => model.sync()],
  ])("is tried at once for %s, which is kept while it fails and served when it heals", (_what, come) => {
    const model = blocked();
    come(model);
    expect(model.next().kind).toBe("open");
    rest(model);
    expect(model.next().kind).toBe("wait");
    model.logBroken = false;
    model.pass(hourMs);
    model.settle();
    model.finish();
    expect(model.next().kind).toBe("run");
    rest(model);
    expect(model.begun).toHaveLength(2);
  });

  test("still begins a new history when it is due", () => {
    const model = blocked();
    model.historyDue = true;
    expect(model.next().kind).toBe("continueAsNew");
  });
});

/** Continued as new while run 2, for the second recompute, is under way; its log read. Number 3 has a plan, 2 has none. */
function following(run = 2): ConnectorModel {
  const model = delivered();
  for (let number = 2; number <= run; number++) {
    model.signal(number);
    if (number < run) rest(model);
  }
  model.settle();
  model.historyDue = true;
  model.settle();
  expect(model.inFlight?.step.kind).toBe("open");
  model.finish();
  expect(model.state.currentRun).toMatchObject({ number: run, computed_at: computedAt(run) });
  return model;
}

describe("a run that goes on over continue-as-new", () => {
  test.each([2, 4])(
    "run %i is asked to report, neither closed nor begun again, and adopted as it ends",
    (run) => {
      const model = following(run);
      expect(model.next()).toEqual({ kind: "attach" });
      rest(model);
      expect(model.delivered).toBe(run);
      expect(model.begun).toHaveLength(run);
      expect(model.state).toMatchObject({ currentRun: null, lastRun: { outcome: "clean" }, newest: null });
    },
  );

  test("one that ended before the log was read is adopted, not lost", () => {
    const model = delivered();
    model.signal(2);
    model.settle();
    model.historyDue = true;
    model.settle();
    const { read } = model.inFlight ?? {};
    expect(read).toMatchObject({ lastNumber: 2, open: true });
    model.inFlight = null;
    model.finish("failed");
    model.begin({ kind: "open" });
    model.finish();
    expect(model.state).toMatchObject({ status: "error", currentRun: null, lostRun: null, newest: null });
    rest(model);
    expect(model.begun).toHaveLength(2);
  });

  test("recomputes that come while it is followed make exactly one more", () => {
    const model = following();
    for (const n of [7, 5, 9]) model.signal(n);
    expect(isOvertaken(model.state)).toBe(true);
    rest(model);
    expect(model.delivered).toBe(9);
    expect(model.begun).toHaveLength(3);
  });

  test("one that dies is noticed as it is asked again, closed in the log and followed by another", () => {
    const model = following();
    model.settle();
    model.finish();
    model.finish("lost");
    model.pass(attachMs - 1);
    expect(model.next()).toEqual({ kind: "wait", ms: 1 });
    model.pass(1);
    expect(model.next()).toEqual({ kind: "attach" });
    rest(model);
    expect(model.begun).toHaveLength(3);
    expect(model.delivered).toBe(2);
  });

  test("a report of another run changes nothing", () => {
    const model = following();
    const before = model.state;
    for (const number of [1, 3, "2", undefined]) model.apply({ type: "runReported", number });
    expect(model.state).toEqual(before);
  });

  test("a report that comes while the log is read has it read once more", () => {
    const model = following();
    model.settle();
    model.finish();
    model.begin({ kind: "open" });
    const { inFlight } = model;
    model.inFlight = null;
    model.finish("clean");
    model.inFlight = inFlight;
    model.finish();
    expect(model.state.currentRun).not.toBeNull();
    expect(model.next()).toEqual({ kind: "open" });
    rest(model);
    expect(model.state).toMatchObject({ currentRun: null, lastRun: { number: 2 } });
  });

  test("it is unwanted once the connector is deactivated, and what it did is adopted", () => {
    const model = following();
    model.settle();
    model.finish();
    model.write("deactivated");
    expect(isRunUnwanted(model.state)).toBe(true);
    expect(model.next().kind).toBe("wait");
    rest(model, "cancelled");
    expect(model.state).toMatchObject({ status: "inactive", currentRun: null });
  });

  test("a removed connector does not end before it", () => {
    const model = following();
    model.settle();
    model.finish();
    model.write("removed");
    expect(model.next().kind).toBe("wait");
    rest(model, "cancelled");
    expect(model.ended).toBe("the connector was removed");
  });

  test("everybody is unset only after it", () => {
    const model = following();
    model.settle();
    model.finish();
    model.write("removing");
    expect(model.next().kind).toBe("wait");
    model.finish("cancelled");
    rest(model);
    expect(model.begun.at(-1)).toMatchObject({ reason: "remove", number: 3 });
    expect(model.ended).toBe("the connector was removed");
  });

  test("it is carried again and again, with what it was told", () => {
    const model = following();
    model.signal(7);
    model.apply({ type: "runTold" });
    for (let history = 0; history < 3; history++) {
      model.historyDue = true;
      model.settle();
      model.finish();
      expect(model.state).toMatchObject({ currentRun: { number: 2 }, tie: { told: true, attachAtMs: 0 } });
    }
    rest(model);
    expect(model.begun).toHaveLength(3);
  });
});

describe("continue-as-new", () => {
  test("comes when suggested, past so many events, after the given number of runs or after a day", () => {
    const model = delivered();
    const around = { ...quiet, now: model.now };
    expect(nextStepOf(model, around).kind).toBe("wait");
    expect(nextStepOf(model, { ...around, historyIsLong: true }).kind).toBe("continueAsNew");
    expect(nextStepOf(model, { ...around, historyAgeMs: 24 * hourMs }).kind).toBe("continueAsNew");
    expect(nextStepOf(model, { ...around, continueAsNewSuggested: true }).kind).toBe("continueAsNew");
    expect(nextStepOf(model, { ...around, continueAsNewSuggested: true, handlersBusy: true }).kind).toBe(
      "wait",
    );
    model.state = { ...model.state, runsHere: 100 };
    expect(nextStepOf(model, around).kind).toBe("continueAsNew");
  });

  test("comes during a run that was begun to outlive the history, and never during another", () => {
    const model = delivered();
    model.signal(2);
    model.settle();
    const around = { ...quiet, now: model.now, historyIsLong: true };
    expect(nextStepOf(model, around).kind).toBe("continueAsNew");
    expect(nextStepOf(model, { ...around, handlersBusy: true }).kind).toBe("wait");
    const run = model.state.currentRun;
    if (!run) throw new Error("no run was begun");
    model.apply({ type: "runStarted", run, outlives: false });
    expect(nextStepOf(model, around).kind).toBe("wait");
  });

  test("carries plain JSON, all of it, and nothing that the log knows", () => {
    const model = delivered();
    model.signal(5);
    const carried = carriedState(model.state);
    expect(JSON.parse(JSON.stringify(carried))).toEqual(carried);
    expect(newConnectorState(carried)).toMatchObject({
      newest: { computed_at: computedAt(5) },
      status: "opening",
    });
    expect(Object.keys(carried).toSorted()).toEqual([
      "cleanUpAtMs",
      "lookAtMs",
      "newest",
      "partialStreak",
      "storageId",
      "wanted",
    ]);
  });

  test("keeps a verification that no run was begun for, and one wish among others", () => {
    const model = delivered();
    const { begun } = model;
    model.apply({ type: "verificationRequested", sample: 500 });
    expect(model.next()).toEqual({ kind: "run", reason: "verify" });
    model.apply({ type: "verificationRequested", sample: 100 });
    // Whatever the next run is for, it looks.
    model.sync();
    expect(newConnectorState(carriedState(model.state))).toMatchObject({ wanted: "sync", sample: 500 });
    expect(model.next()).toEqual({ kind: "run", reason: "sync" });
    rest(model);
    expect(begun.slice(1)).toMatchObject([{ reason: "sync", number: 2 }]);
    expect(model.state.sample).toBeNull();
  });

  test("forgets a verification with the deactivation that stops everything", () => {
    const model = delivered();
    model.apply({ type: "verificationRequested", sample: 500 });
    model.write("deactivated");
    expect(model.state).toMatchObject({ wanted: null, sample: null });
  });

  test("carries the run under way, a lost one that the log could not tell of, and the count of what was ignored", () => {
    const model = delivered();
    model.apply({ type: "recomputed", recompute: undefined });
    model.signal(2);
    model.settle();
    const current = model.state.currentRun;
    const carried = carriedState(model.state);
    expect(carried).toMatchObject({ run: { current, told: false }, ignoredSignals: 1 });
    expect(JSON.parse(JSON.stringify(carried))).toEqual(carried);
    expect(newConnectorState(carried)).toMatchObject({ currentRun: current, ignoredSignals: 1 });
    model.logBroken = true;
    model.finish("lost");
    model.finish();
    expect(carriedState(model.state)).toMatchObject({ lostRun: current });
    expect(newConnectorState(carriedState(model.state))).toMatchObject({
      lostRun: current,
      currentRun: null,
    });
  });

  test("keeps a recompute that no run was begun for", () => {
    const model = delivered();
    model.historyDue = true;
    model.signal(2);
    rest(model);
    expect(model.delivered).toBe(2);
    expect(model.begun).toHaveLength(2);
  });
});

/** What happens to a connector: each may come at any moment, also while something is in flight. */
const happenings: Record<string, (model: ConnectorModel, n: number) => void> = {
  signal: (model, n) => model.signal(n),
  signalWithoutTime: (model) => model.signalWithoutTime(),
  nonsense: (model) => model.apply({ type: "recomputed", recompute: undefined }),
  lostWebhook: (model, n) => (model.sourceComputed = Math.max(model.sourceComputed, n)),
  sync: (model) => model.sync(),
  configure: (model) => model.write("configured"),
  activate: (model) => model.write("activated"),
  deactivate: (model) => model.write("deactivated"),
  removeWithCleanup: (model) => model.write("removing"),
  continueAsNew: (model) => (model.historyDue = true),
  terminate: (model) => model.terminate(),
  breakLog: (model) => (model.logBroken = true),
  healLog: (model) => (model.logBroken = false),
  passMinutes: (model, n) => model.pass(n * 60_000),
  passHours: (model, n) => model.pass(n * hourMs),
  rejectSomebody: (model) => (model.retryDueForEver = !model.retryDueForEver),
  endClean: (model) => model.finish("clean"),
  endFailed: (model) => model.finish("failed"),
  endPartial: (model) => model.finish("partial"),
  endCancelled: (model) => model.finish("cancelled"),
  endLost: (model) => model.finish("lost"),
  endSuperseded: (model) => model.finish("superseded"),
};

const history = array(tuple(constantFrom(...Object.keys(happenings)), integer({ min: 1, max: 30 })), {
  maxLength: 60,
});

/** Lives through a history. Throws where something happens that must never. */
function live(steps: [string, number][]): ConnectorModel {
  const model = active();
  for (const [what, n] of steps) {
    if (model.ended !== null) break;
    happenings[what]?.(model, n);
    const before = model.inFlight;
    if (model.settle() >= 10) throw new Error(`it does not pause after ${what}`);
    const isLeftBehind = before?.step.kind === "run" && model.outside !== null;
    if (before && model.inFlight !== before && !isLeftBehind) throw new Error("two things are in flight");
    if (model.begun.length > model.causes) throw new Error(`a run has no cause, after ${what}`);
  }
  for (const { reason, status } of model.begun) {
    const allowed: string[] = reason === "remove" ? ["removing"] : ["active", "error"];
    if (!allowed.includes(status)) throw new Error(`a run for ${reason} was begun while ${status}`);
  }
  return model;
}

/** The log readable, the connector active, nobody rejected: what is left is only what the connector has in mind. */
function mended(model: ConnectorModel): ConnectorModel | null {
  model.logBroken = false;
  model.retryDueForEver = false;
  rest(model);
  model.pass(hourMs);
  rest(model);
  if (model.ended !== null) return null;
  if (model.logged !== "active") model.write("activated");
  return model;
}

describe("whatever happens, in whatever order", () => {
  test("runs need a cause, an active connector, and come one at a time", () => {
    assert(
      property(history, (steps) => void live(steps)),
      { numRuns: 2000 },
    );
  });

  test("what SegOps computed is delivered in the end", () => {
    assert(
      property(history, (steps) => {
        const model = mended(live(steps));
        if (!model || model.sourceComputed === 0) return;
        rest(model);
        expect(model.delivered).toBe(model.sourceComputed);
      }),
      { numRuns: 2000 },
    );
  });

  test("a recompute or a sync that was asked for has its run without any look", () => {
    assert(
      property(history, (steps) => {
        const model = live(steps.filter(([what]) => what !== "removeWithCleanup"));
        if (model.ended !== null) return;
        model.logBroken = false;
        if (model.inFlight || model.outside) model.finish("failed");
        // Enough for a log that could not be opened to be tried again.
        if (model.state.status === "blocked") model.pass(hourMs);
        for (let step = 0; step < 20 && model.owed; step++) {
          model.settle();
          if (model.inFlight?.step.kind === "look") break;
          if (model.inFlight || model.outside) model.finish("failed");
          else if (model.state.currentRun) model.pass(attachMs);
          else if (model.logged !== "active") model.write("activated");
          else break;
        }
        expect(model.owed).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test.each<RunEnd>(["failed", "partial", "cancelled", "lost", "superseded", "no_change"])(
    "it comes to rest though every run is %s from now on",
    (end) => {
      assert(
        property(history, (steps) => {
          const model = live(steps);
          expect(rest(model, end, 40)).toBeLessThan(40);
        }),
        { numRuns: 500 },
      );
    },
  );
});

const quiet = { handlersBusy: false, continueAsNewSuggested: false, historyIsLong: false, historyAgeMs: 0 };

function nextStepOf(model: ConnectorModel, around: Parameters<typeof nextStep>[1]) {
  return nextStep(model.state, around);
}
