/**
 * Everything that chance decides in a history, as a list of small numbers. 0 is always the tamest choice, so that a shorter
 * list, or one with more zeros, is a simpler history. A seed makes the list; a list replays the history, and past its end
 * everything is tame.
 */
export class Choices {
  /** What was chosen so far. */
  readonly taken: number[] = [];
  readonly #draw: (options: number, place: number) => number;
  #calm = false;

  private constructor(draw: (options: number, place: number) => number) {
    this.#draw = draw;
  }

  static seeded(seed: number): Choices {
    const random = mulberry32(seed);
    return new Choices((options) => Math.floor(random() * options));
  }

  static replayed(list: readonly number[]): Choices {
    return new Choices((options, place) => Math.min(list[place] ?? 0, options - 1));
  }

  /** A number from 0 to `options` - 1. */
  pick(options: number): number {
    if (this.#calm) return 0;
    const choice = this.#draw(options, this.taken.length);
    this.taken.push(choice);
    return choice;
  }

  /** True once in `oneIn` times; never once all is calm. */
  chance(oneIn: number): boolean {
    return !this.#calm && this.pick(oneIn) === oneIn - 1;
  }

  /** A whole number of `stepMs` from `fromMs` to `toMs`. */
  duration(fromMs: number, toMs: number, stepMs = 1000): number {
    return fromMs + stepMs * this.pick(Math.floor((toMs - fromMs) / stepMs) + 1);
  }

  /** From now on only the tamest. */
  calm(): void {
    this.#calm = true;
  }
}

/** A small generator of fractions, the same on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}
