import { Choices } from "./choices.ts";
import type { Rules } from "./rule-sets.ts";
import { shrinkChoices } from "./shrink.ts";
import { runHistory } from "./simulation.ts";
import type { Verdict } from "./simulation.ts";

/** History `index` of those that a seed stands for, under these rules. */
export function seededHistory(rules: Rules, seed: number, index: number): Verdict {
  return runHistory(rules, Choices.seeded(Math.imul(seed, 0x9e3779b1) + index));
}

/** The simplest history found that goes wrong as this one does, told line by line. */
export function explainHistory(rules: Rules, seed: number, index: number): string {
  const isWrong = (choices: readonly number[]) =>
    runHistory(rules, Choices.replayed(choices)).wrong.length > 0;
  const { choices, wrong } = seededHistory(rules, seed, index);
  if (wrong.length === 0) return `history ${index} of seed ${seed} ends right`;
  const simplest = shrinkChoices(choices, isWrong);
  const lines: string[] = [];
  const verdict = runHistory(rules, Choices.replayed(simplest), (line) => lines.push(line));
  lines.push(`wrong for ever: ${verdict.wrong.join(" ")}`, `choices: ${JSON.stringify(simplest)}`);
  return [`history ${index} of seed ${seed}, simplified:`, ...lines].join("\n");
}
