import type { RoundScript } from "./script.ts";

/** A round is half a minute; what is left after so many is small enough to read. */
const mostTries = 25;

/**
 * Leaves faults and work out of a script that was red, ever smaller pieces of it, as long as what remains is still red by
 * `isRed`. A round is not the same twice: a piece that was left out although it mattered is only found by replaying the result.
 */
export async function shrink(
  script: RoundScript,
  isRed: (smaller: RoundScript) => Promise<boolean>,
  tries = mostTries,
): Promise<RoundScript> {
  let smallest = script;
  let left = tries;
  for (
    let piece = Math.ceil(lengthOf(script) / 2);
    piece >= 1;
    piece = piece === 1 ? 0 : Math.ceil(piece / 2)
  ) {
    for (let from = 0; from < lengthOf(smallest) && left > 0; left--) {
      const smaller = without(smallest, from, piece);
      if (await isRed(smaller)) smallest = smaller;
      else from += piece;
    }
  }
  return smallest;
}

function lengthOf({ faults, work }: RoundScript): number {
  return faults.length + work.length;
}

/** Faults and work are one list here, faults first. */
function without(script: RoundScript, from: number, count: number): RoundScript {
  const isLeft = (index: number) => index < from || index >= from + count;
  return {
    ...script,
    faults: script.faults.filter((_, index) => isLeft(index)),
    work: script.work.filter((_, index) => isLeft(script.faults.length + index)),
  };
}
