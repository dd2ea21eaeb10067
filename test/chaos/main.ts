// Chaos: `npm run chaos -- --rounds N --seed S` plays N rounds of random work under random faults and checks what came of it.
// `--rounds 1 --seed S --round K` plays round K of seed S again. Exit status 1 when a round was red or could not be checked.
import { randomInt } from "node:crypto";
import { rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Arena } from "./arena.ts";
import { playRound } from "./round.ts";
import { Tally } from "./tally.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seed: { type: "string" },
    round: { type: "string", default: "1" },
  },
});
const rounds = wholeNumber("rounds", values.rounds);
const first = wholeNumber("round", values.round);
const seed = values.seed === undefined ? randomInt(1, 2 ** 31) : wholeNumber("seed", values.seed);

process.exitCode = await main();

async function main(): Promise<number> {
  console.log(`seed ${seed}`);
  const all = new Tally();
  let [passed, failed] = [0, 0];
  const arena = await Arena.open();
  const endEarly = () => void arena.close().finally(() => process.exit(130));
  process.once("SIGINT", endEarly).once("SIGTERM", endEarly);
  try {
    for (let round = first; round < first + rounds; round++) {
      const isGreen = await playAndTell(arena, round, all);
      if (isGreen) passed++;
      else failed++;
    }
  } finally {
    await arena.close();
  }
  console.log(`\nFaults that struck:\n${all.table()}\n`);
  if (failed === 0) await rm(arena.dir, { recursive: true, force: true });
  else console.log(`Everything of these rounds is kept in ${arena.dir}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function playAndTell(arena: Arena, round: number, all: Tally): Promise<boolean> {
  const began = Date.now();
  const { red, tally, runs, writes } = await playRound(arena, seed, round);
  all.merge(tally);
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const verdict = red.length === 0 ? "passed" : "FAILED";
  console.log(
    `round ${round}: ${verdict} in ${seconds} s, ${runs} runs, ${writes} writes; ${tally.summary()}`,
  );
  for (const finding of red.slice(0, 20)) console.log(`  ${finding}`);
  if (red.length > 20) console.log(`  … and ${red.length - 20} more`);
  if (red.length > 0) console.log(`  again: npm run chaos -- --seed ${seed} --rounds 1 --round ${round}`);
  return red.length === 0;
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) > 0) return Number(text);
  console.error(`--${name} must be a whole number from 1`);
  process.exit(2);
}
