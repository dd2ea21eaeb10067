/** A queue that serves its keys in turn: one key with a thousand items does not hold up another with one. */
export class FairQueue<Item> {
  /** In order of turn: whoever was served goes to the end. */
  readonly #lanes = new Map<string, Item[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(key: string, item: Item): void {
    const lane = this.#lanes.get(key);
    if (lane) lane.push(item);
    else this.#lanes.set(key, [item]);
    this.#size++;
  }

  shift(): Item | undefined {
    const [turn] = this.#lanes;
    if (!turn) return undefined;
    const [key, lane] = turn;
    const item = lane.shift();
    this.#lanes.delete(key);
    if (lane.length > 0) this.#lanes.set(key, lane);
    this.#size--;
    return item;
  }

  remove(key: string, item: Item): void {
    const lane = this.#lanes.get(key);
    const at = lane?.indexOf(item) ?? -1;
    if (!lane || at < 0) return;
    lane.splice(at, 1);
    if (lane.length === 0) this.#lanes.delete(key);
    this.#size--;
  }

  /** How many are served until a new item of this key was, itself included. */
  turnsUntilServed(key: string): number {
    const own = (this.#lanes.get(key)?.length ?? 0) + 1;
    let turns = own;
    for (const [other, lane] of this.#lanes) if (other !== key) turns += Math.min(lane.length, own);
    return turns;
  }
}
