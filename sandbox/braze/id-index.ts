const FIRST_CAPACITY = 4096;

/**
 * External ids by user number and back. An open-addressed table in one typed array: a Map of a million strings costs
 * the collector and each look-up half as much again, and ends at 16.7 million entries.
 */
export class IdIndex {
  /** Pairs of hash and user number + 1; 0 marks a free place. */
  #table = new Uint32Array(FIRST_CAPACITY * 2);
  #mask = FIRST_CAPACITY - 1;
  #named = 0;
  #lastFound = -1;
  readonly #ids: (string | null)[] = [];

  /** Profiles, those without external id included. */
  get count(): number {
    return this.#ids.length;
  }

  idOf(user: number): string | null {
    return this.#ids[user] ?? null;
  }

  find(id: string): number | undefined {
    // Senders go through users in the same order again and again: the next one is often right here.
    const next = this.#lastFound + 1;
    const user = this.#ids[next] === id ? next : this.#lookUp(id);
    if (user !== undefined) this.#lastFound = user;
    return user;
  }

  /** Adds a profile, which must be new; null is one without external id. */
  add(id: string | null): number {
    const user = this.#ids.length;
    this.#ids.push(id);
    if (id !== null) {
      if (++this.#named * 2 > this.#mask) this.#grow();
      this.#place(hashOf(id), user + 1);
    }
    return user;
  }

  #lookUp(id: string): number | undefined {
    const hash = hashOf(id);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = this.#table[slot * 2 + 1] ?? 0;
      if (entry === 0) return undefined;
      if (this.#table[slot * 2] === hash && this.#ids[entry - 1] === id) return entry - 1;
    }
  }

  #place(hash: number, entry: number): void {
    let slot = hash & this.#mask;
    while (this.#table[slot * 2 + 1] !== 0) slot = (slot + 1) & this.#mask;
    this.#table[slot * 2] = hash;
    this.#table[slot * 2 + 1] = entry;
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Uint32Array(old.length * 4);
    this.#mask = this.#table.length / 2 - 1;
    for (let at = 0; at < old.length; at += 2) {
      const entry = old[at + 1] ?? 0;
      if (entry !== 0) this.#place(old[at] ?? 0, entry);
    }
  }
}

/** FNV-1a over UTF-16 units, its bits mixed once more, for ids that differ in their last digits alone. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
