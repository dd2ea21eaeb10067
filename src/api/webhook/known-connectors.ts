import { connectorName, type ConnectorKey } from "../../contracts/connector-id.ts";

/** A connector that is there is believed so long; a signal to one that is gone does nothing. */
const thereMs = 10_000;
/** One that is not: briefly, and without harm, because a new connector looks by itself as it is activated. */
const notThereMs = 1000;

/** Names remembered at most. */
const maxNames = 10_000;

/** Which connectors there are, remembered for some seconds: SegOps tells of every segment, and most have none. */
export class KnownConnectors {
  readonly #exists: (key: ConnectorKey) => Promise<boolean>;
  readonly #known = new Map<string, { there: Promise<boolean>; until: number }>();

  constructor(exists: (key: ConnectorKey) => Promise<boolean>) {
    this.#exists = exists;
  }

  async has(key: ConnectorKey): Promise<boolean> {
    const name = connectorName(key);
    const known = this.#known.get(name);
    if (known && performance.now() < known.until) return await known.there;
    // A storage that cannot be read must not cost a recompute: a signal too many does no harm.
    const there = this.#exists(key).catch(() => true);
    this.#remember(name, there, notThereMs);
    if (await there) this.#remember(name, there, thereMs);
    return await there;
  }

  #remember(name: string, there: Promise<boolean>, forMs: number): void {
    this.#known.delete(name);
    const oldest = this.#known.keys().next();
    if (this.#known.size >= maxNames && !oldest.done) this.#known.delete(oldest.value);
    this.#known.set(name, { there, until: performance.now() + forMs });
  }
}
