// Chaos: `npm run chaos -- --rounds N --seed S` plays N rounds of random work under random faults and checks what came of it.
// `--rounds 1 --seed S --round K` plays round K of seed S again; `--script F` plays the round that is written in a file.
// `--shrink` looks for the smallest part of a red round that is still red, and writes that to a file.
// Exit status 1 when a round was red or could not be checked, or a kind of fault struck fewer than `--min-strikes` times (10 in 100
// rounds or more, else 0).
import { randomInt } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Arena } from "./arena.ts";
import { playRound } from "./round.ts";
import { writeScript, type RoundScript } from "./script.ts";
import { shrink } from "./shrink.ts";
import { Tally } from "./tally.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seed: { type: "string" },
    round: { type: "string", default: "1" },
    script: { type: "string" },
    shrink: { type: "boolean", default: false },
    "min-strikes": { type: "string" },
  },
});
const given = values.script === undefined ? undefined : await readScript(values.script);
const rounds = wholeNumber("rounds", values.rounds);
const first = wholeNumber("round", values.round);
const seed = values.seed === undefined ? randomInt(1, 2 ** 31) : wholeNumber("seed", values.seed);
const minStrikes = wholeNumber("min-strikes", values["min-strikes"] ?? (rounds >= 100 ? "10" : "0"), 0);

process.exitCode = await main();

async function main(): Promise<number> {
  console.log(given ? `script ${values.script}` : `seed ${seed}`);
  const all = new Tally();
  let [passed, failed] = [0, 0];
  const arena = await Arena.open();
  const endEarly = () => void arena.close().finally(() => process.exit(130));
  process.once("SIGINT", endEarly).once("SIGTERM", endEarly);
  try {
    for (let round = first; round < first + rounds; round++) {
      const script = given ?? writeScript(seed, round);
      const isGreen = await playAndTell(arena, script, round, all);
      if (isGreen) passed++;
      else failed++;
      if (!isGreen && values.shrink) await shrinkAndTell(arena, script, round);
    }
  } finally {
    await arena.close();
  }
  console.log(`\nFaults that struck:\n${all.table()}\n\nWork that was done: ${all.work()}\n`);
  const weak = all.below(minStrikes);
  if (weak.length > 0) console.log(`Struck fewer than ${minStrikes} times: ${weak.join(", ")}`);
  if (failed === 0) await rm(arena.dir, { recursive: true, force: true });
  else console.log(`Everything of these rounds is kept in ${arena.dir}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && weak.length === 0 ? 0 : 1;
}

async function playAndTell(arena: Arena, script: RoundScript, round: number, all: Tally): Promise<boolean> {
  const began = Date.now();
  const { red, tally, runs, writes } = await playRound(arena, script, round);
  all.merge(tally);
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const verdict = red.length === 0 ? "passed" : "FAILED";
  console.log(
    `round ${round}: ${verdict} in ${seconds} s, ${runs} runs, ${writes} writes; ${tally.summary()}`,
  );
  for (const finding of red.slice(0, 20)) console.log(`  ${finding}`);
  if (red.length > 20) console.log(`  … and ${red.length - 20} more`);
  if (red.length > 0 && !given) {
    console.log(`  again: npm run chaos -- --seed ${seed} --rounds 1 --round ${round}`);
  }
  return red.length === 0;
}

/** Each try is a round of its own, beside those of the seed. */
async function shrinkAndTell(arena: Arena, script: RoundScript, round: number): Promise<void> {
  let number = round * 1_000;
  const smallest = await shrink(script, async (smaller) => {
    const { red } = await playRound(arena, smaller, ++number);
    const size = `${smaller.faults.length} faults, ${smaller.work.length} pieces of work`;
    console.log(`  with ${size}: ${red.length === 0 ? "passed" : `FAILED, ${red[0]}`}`);
    return red.length > 0;
  });
  const path = join(arena.dir, `round-${round}.smallest.json`);
  await writeFile(path, JSON.stringify(smallest, undefined, 1));
  console.log(`  smallest that was red: npm run chaos -- --rounds 1 --script ${path}`);
  console.log(JSON.stringify({ faults: smallest.faults, work: smallest.work }, undefined, 1));
}

async function readScript(path: string): Promise<RoundScript> {
  return JSON.parse(await readFile(path, "utf8")) as RoundScript;
}

function wholeNumber(name: string, text: string, least = 1): number {
  if (/^\d{1,10}$/.test(text) && Number(text) >= least) return Number(text);
  console.error(`--${name} must be a whole number from ${least}`);
  process.exit(2);
}
