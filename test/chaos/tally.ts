import { brazeFaults, processFaults, segopsFaults, storageFaults } from "./fault-kinds.ts";

/**
 * How often each kind of fault really struck: the stand-ins' own counts, signals delivered, calls answered. And what an operator did
 * meanwhile, where it was not refused.
 */
export class Tally {
  readonly #struck = new Map<string, number>();
  readonly #done = new Map<string, number>();

  constructor() {
    for (const kind of processFaults) this.#struck.set(kind, 0);
    for (const kind of storageFaults) this.#struck.set(`storage ${kind}`, 0);
    for (const kind of brazeFaults) this.#struck.set(`braze ${kind}`, 0);
    for (const kind of segopsFaults) this.#struck.set(`segops ${kind}`, 0);
  }

  add(kind: string, times = 1): void {
    if (times > 0) this.#struck.set(kind, (this.#struck.get(kind) ?? 0) + times);
  }

  of(kind: string): number {
    return this.#struck.get(kind) ?? 0;
  }

  did(work: string, times = 1): void {
    this.#done.set(work, (this.#done.get(work) ?? 0) + times);
  }

  merge(other: Tally): void {
    for (const [kind, times] of other.#struck) this.add(kind, times);
    for (const [work, times] of other.#done) this.did(work, times);
  }

  /** What an operator did, in one line. */
  work(): string {
    return [...this.#done].map(([work, times]) => `${work} ×${times}`).join(", ");
  }

  /** Kinds that struck fewer than `times` times. */
  below(times: number): string[] {
    return [...this.#struck].filter(([, struck]) => struck < times).map(([kind]) => kind);
  }

  /** One line a kind, those that never struck included. */
  table(): string {
    const rows = [...this.#struck];
    const width = Math.max(...rows.map(([kind]) => kind.length));
    return rows.map(([kind, times]) => `  ${kind.padEnd(width)}  ${times}`).join("\n");
  }

  /** Only what struck, in one line. */
  summary(): string {
    const struck = [...this.#struck].filter(([, times]) => times > 0);
    return struck.map(([kind, times]) => (times > 1 ? `${kind} ×${times}` : kind)).join(", ") || "no fault";
  }
}
