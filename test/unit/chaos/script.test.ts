import { expect, test } from "vitest";
import { faultSchema as brazeFaultSchema } from "../../../sandbox/braze/faults.ts";
import { faultSchema as segopsFaultSchema } from "../../../sandbox/segops/faults.ts";
import {
  brazeFaults,
  exportFaults,
  processFaults,
  segopsFaults,
  storageFaults,
} from "../../chaos/fault-kinds.ts";
import { writeScript } from "../../chaos/script.ts";

test("a round depends on its seed and number alone", () => {
  expect(writeScript(7, 3)).toEqual(writeScript(7, 3));
  expect(writeScript(7, 3)).not.toEqual(writeScript(7, 4));
  expect(writeScript(7, 3)).not.toEqual(writeScript(8, 3));
});

test("within a hundred rounds every kind of fault is tried at least twenty times", () => {
  const tried = new Map<string, number>();
  for (let round = 1; round <= 100; round++) {
    for (const { on, kind } of writeScript(1, round).faults) {
      tried.set(`${on} ${kind}`, (tried.get(`${on} ${kind}`) ?? 0) + 1);
    }
  }
  const kinds = [
    ...processFaults.map((kind) => `process ${kind}`),
    ...brazeFaults.map((kind) => `braze ${kind}`),
    ...segopsFaults.map((kind) => `segops ${kind}`),
    ...storageFaults.map((kind) => `storage ${kind}`),
  ];
  expect([...tried.keys()].sort()).toEqual(kinds.sort());
  expect(Math.min(...tried.values())).toBeGreaterThanOrEqual(20);
});

test("every fault that the stand-ins can play is a kind of the suite's", () => {
  expect([...brazeFaults].sort()).toEqual([...brazeFaultSchema.shape.kind.options].sort());
  expect([...segopsFaults].sort()).toEqual([...segopsFaultSchema.in.shape.kind.options].sort());
});

test("a fault of exports comes with a segment that is exported", () => {
  const withExports = Array.from({ length: 100 }, (_, index) => writeScript(2, index + 1)).filter(
    ({ faults }) => faults.some((fault) => fault.on === "segops" && exportFaults.has(fault.kind)),
  );
  expect(withExports.length).toBeGreaterThan(0);
  for (const { cast } of withExports) expect(cast[0]?.segment.generate?.count).toBeGreaterThan(10_000);
});

test("a round that was written to a file is the same round", () => {
  const script = writeScript(7, 3);
  expect(writeScript(7, 3)).toEqual(JSON.parse(JSON.stringify(script)));
});

test("every kind of work is done within a hundred rounds, and what is removed without cleanup keeps its names", () => {
  const kinds = new Set<string>();
  for (let round = 1; round <= 100; round++) {
    const { cast, work } = writeScript(3, round);
    for (const [index] of cast.entries()) {
      const own = work.filter(({ connector }) => connector === index).map((planned) => planned.work);
      for (const { kind } of own) kinds.add(kind);
      if (!own.some((each) => each.kind === "remove" && !each.cleanup)) continue;
      for (const each of own) {
        if (each.kind !== "configure") continue;
        expect(Object.keys(each.change)).not.toEqual(expect.arrayContaining(["attribute_name"]));
        expect(Object.keys(each.change)).not.toEqual(expect.arrayContaining(["segment_id"]));
      }
    }
  }
  expect([...kinds].sort()).toEqual([
    "activate",
    "approve",
    "configure",
    "create",
    "deactivate",
    "recompute",
    "remove",
    "resync",
    "sync",
  ]);
});
