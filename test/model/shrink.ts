type List = readonly number[];

/**
 * A simpler list of choices that still fails: pieces are cut out, made tame, or lowered, for as long as that helps.
 * `fails` is asked some `budget` times at most.
 */
export function shrinkChoices(list: List, fails: (list: List) => boolean, budget = 40_000): List {
  let left = budget;
  const isBetter = (candidate: List) => left-- > 0 && fails(candidate);
  for (let best = list; ;) {
    let simpler = best;
    for (let size = 64; size >= 1; size /= 2) simpler = withSimplerPieces(simpler, size, isBetter);
    simpler = withLowerChoices(simpler, isBetter);
    if (simpler === best) return best;
    best = simpler;
  }
}

/** From the end, because the last choices hang on the first. */
function withSimplerPieces(list: List, size: number, isBetter: (candidate: List) => boolean): List {
  let best = list;
  for (let from = best.length - size; from >= 0; from -= size) {
    const [head, piece, tail] = [best.slice(0, from), best.slice(from, from + size), best.slice(from + size)];
    const shorter = [...head, ...tail];
    if (isBetter(shorter)) best = shorter;
    else if (piece.some((choice) => choice > 0)) {
      const tame = [...head, ...piece.map(() => 0), ...tail];
      if (isBetter(tame)) best = tame;
    }
  }
  return best;
}

function withLowerChoices(list: List, isBetter: (candidate: List) => boolean): List {
  let best = list;
  for (const place of list.keys()) {
    for (let choice = best[place] ?? 0; choice > 0; choice = best[place] ?? 0) {
      const lower = [Math.floor(choice / 2), choice - 1]
        .map((each) => best.with(place, each))
        .find((candidate) => isBetter(candidate));
      if (!lower) break;
      best = lower;
    }
  }
  return best;
}
