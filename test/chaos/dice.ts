import { seededRandom, shuffled } from "../../sandbox/braze/seeded-random.ts";

/** The random choices of one round. They depend on the seed and the round's number alone, so that a round can be replayed. */
export class Dice {
  readonly #random: () => number;

  constructor(seed: number, round: number) {
    // Neighbouring rounds begin far apart: an odd constant spreads their numbers over all 32 bits.
    this.#random = seededRandom(seed ^ Math.imul(round, 0x9e3779b1));
  }

  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.#random() * (max - min + 1));
  }

  /** From 0 up to but not including 1. */
  fraction(): number {
    return this.#random();
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error("nothing to pick from");
    return items[this.int(0, items.length - 1)] as T;
  }

  shuffle<T>(items: readonly T[]): T[] {
    return shuffled(items, this.#random);
  }
}
