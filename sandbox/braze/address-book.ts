const ORPHAN_LIFE_MS = 30 * 24 * 3_600_000;

interface Orphan {
  state: boolean;
  storedAt: number;
}

/**
 * Who holds which e-mail address (or phone number), and the subscription states stored for addresses that nobody holds
 * yet: Braze keeps those for 30 days and hands them to the profile that appears with the address.
 */
export class AddressBook {
  readonly #holders = new Map<string, number[]>();
  readonly #orphans = new Map<string, Map<string, Orphan>>();

  holders(address: string): readonly number[] {
    return this.#holders.get(address) ?? [];
  }

  /** Moves a user from one address to another; undefined stands for none. */
  move(user: number, from: string | undefined, to: string | undefined): void {
    if (from === to) return;
    if (from !== undefined) {
      const rest = this.holders(from).filter((holder) => holder !== user);
      if (rest.length === 0) this.#holders.delete(from);
      else this.#holders.set(from, rest);
    }
    if (to !== undefined) this.#holders.set(to, [...this.holders(to), user]);
  }

  storeOrphan(address: string, group: string, state: boolean, now: number): void {
    const groups = this.#orphans.get(address) ?? new Map<string, Orphan>();
    groups.set(group, { state, storedAt: now });
    this.#orphans.set(address, groups);
  }

  orphanState(address: string, group: string, now: number): boolean | undefined {
    const orphan = this.#orphans.get(address)?.get(group);
    return orphan !== undefined && now - orphan.storedAt <= ORPHAN_LIFE_MS ? orphan.state : undefined;
  }

  /** Hands over and forgets the states stored for an address, those older than 30 days excepted. */
  claimOrphans(address: string, now: number): [group: string, state: boolean][] {
    const groups = this.#orphans.get(address);
    if (groups === undefined) return [];
    this.#orphans.delete(address);
    return [...groups]
      .filter(([, orphan]) => now - orphan.storedAt <= ORPHAN_LIFE_MS)
      .map(([group, orphan]) => [group, orphan.state]);
  }
}
