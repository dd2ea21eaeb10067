// Random histories against the ledger's rules: how many end wrong for ever, with each rule left out and with all of them.
//   npx tsx test/model/main.ts --histories 20000 --seed 7
//   npx tsx test/model/main.ts --seed 7 --rules "without unknown" --explain 12
// The exit status is 0 only if none ended wrong with all rules, and some did without each.
import { parseArgs } from "node:util";
import { explainHistory, seededHistory } from "./history-seeds.ts";
import { allRules, ruleSets } from "./rule-sets.ts";
import type { Rules } from "./rule-sets.ts";

const { values } = parseArgs({
  options: {
    histories: { type: "string", default: "20000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    rules: { type: "string", default: "all rules" },
    explain: { type: "string" },
  },
});
const [histories, seed] = [Number(values.histories), Number(values.seed)];

if (values.explain === undefined) process.exitCode = printTable() ? 0 : 1;
else console.log(explainHistory(ruleSets[values.rules] ?? allRules, seed, Number(values.explain)));

function printTable(): boolean {
  const began = performance.now();
  console.log(`${histories} histories for each set of rules, seed ${seed}`);
  console.log(row(["rules", "wrong for ever", "", "older over newer", "first"]));
  let isAsExpected = true;
  for (const [name, rules] of Object.entries(ruleSets)) {
    const { wrong, overwritten } = tally(rules);
    const percent = `${((100 * wrong.length) / histories).toFixed(2)} %`;
    console.log(row([name, String(wrong.length), percent, String(overwritten), String(wrong[0] ?? "-")]));
    const isRight = wrong.length === 0 && overwritten === 0;
    if (rules === allRules ? !isRight : wrong.length === 0) isAsExpected = false;
    if (rules === allRules && wrong[0] !== undefined) console.log(explainHistory(rules, seed, wrong[0]));
  }
  console.log(`${((performance.now() - began) / 1000).toFixed(1)} s`);
  return isAsExpected;
}

function tally(rules: Rules): { wrong: number[]; overwritten: number } {
  const wrong: number[] = [];
  let overwritten = 0;
  for (let index = 0; index < histories; index += 1) {
    const verdict = seededHistory(rules, seed, index);
    if (verdict.wrong.length > 0) wrong.push(index);
    if (verdict.overwritten > 0) overwritten += 1;
  }
  return { wrong, overwritten };
}

function row([name = "", ...cells]: string[]): string {
  return name.padEnd(42) + cells.map((cell) => cell.padStart(16)).join("");
}
