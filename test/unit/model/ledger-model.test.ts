import { describe, expect, test } from "vitest";
import { explainHistory, seededHistory } from "../../model/history-seeds.ts";
import { allRules, ruleSets } from "../../model/rule-sets.ts";
import type { Rules } from "../../model/rule-sets.ts";

/** A new one each time, printed with what fails. Where a rule must be missed, the same ones each time: chance may not decide. */
const freshSeed = Date.now() % 1_000_000;
const knownSeed = 6;
const histories = 2_000;
/** Enough to tell the common troubles apart. */
const fewer = 600;
/** The rarest trouble strikes once in some thousands. */
const mostHistories = 40_000;

test(
  `with all rules no random history ends wrong, nor is a newer value ever overwritten (seed ${freshSeed})`,
  { timeout: 60_000 },
  () => {
    for (let index = 0; index < histories; index += 1) {
      const { wrong, overwritten } = seededHistory(allRules, freshSeed, index);
      if (wrong.length > 0) throw new Error(explainHistory(allRules, freshSeed, index));
      expect(overwritten, `history ${index} of seed ${freshSeed}`).toBe(0);
    }
  },
);

describe("each rule is needed", () => {
  const lacking = Object.entries(ruleSets).filter(([, rules]) => rules !== allRules);
  test.each(lacking)("%s: some history ends wrong for ever", { timeout: 60_000 }, (_, rules) => {
    const index = firstWrong(rules);
    expect(index).toBeGreaterThanOrEqual(0);
    expect(seededHistory(allRules, knownSeed, index).wrong).toEqual([]);
  });
});

test("rules that matter more are missed in more histories", { timeout: 60_000 }, () => {
  const counts = [
    "naive ledger",
    "without unknown",
    "without quiet window",
    "quiet window of 2 minutes",
    "all rules",
  ].map((name) => countWrong(ruleSets[name] ?? allRules));
  expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  expect(counts.at(0)).toBeGreaterThan(fewer / 3);
});

test("a history that goes wrong can be replayed and told in few steps", () => {
  const rules = ruleSets["without unknown"] ?? allRules;
  const index = firstWrong(rules);
  const told = explainHistory(rules, knownSeed, index);
  expect(told).toMatch(/wrong for ever: \w+/);
  expect(told).toBe(explainHistory(rules, knownSeed, index));
});

function firstWrong(rules: Rules): number {
  for (let index = 0; index < mostHistories; index += 1) {
    if (seededHistory(rules, knownSeed, index).wrong.length > 0) return index;
  }
  return -1;
}

function countWrong(rules: Rules): number {
  return Array.from({ length: fewer }, (_, index) => seededHistory(rules, knownSeed, index)).filter(
    ({ wrong }) => wrong.length > 0,
  ).length;
}
