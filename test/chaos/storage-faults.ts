import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { open, readFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { errnoOf } from "../../src/storage/storage-error.ts";
import { storageFaults, type StorageFault } from "./fault-kinds.ts";

/** A fault in force: it strikes operations on keys that begin with `prefix`, `times` at most, until `untilMs`. */
const orderSchema = z.object({
  id: z.int(),
  kind: z.enum(storageFaults),
  prefix: z.string(),
  times: z.int(),
  untilMs: z.number(),
});
type StorageFaultOrder = z.infer<typeof orderSchema>;

/**
 * The storage faults of an arena, in a folder that it shares with its workers: the arena writes what is in force, and whoever
 * strikes makes one empty file for it. Such a file can be made once, so that two workers never strike more than was ordered, and
 * what a worker did just before its kill -9 is counted too.
 */
export class StorageFaults {
  readonly #dir: string;
  readonly #spent = new Map<number, number>();
  #lastId = 0;
  #inForce: StorageFaultOrder[] = [];

  /** Beside the storage: whoever knows one knows the other. */
  constructor(storageUrl: string) {
    this.#dir = join(dirname(storageUrl.slice("file:".length)), "storage-faults");
  }

  add(order: Omit<StorageFaultOrder, "id">): void {
    this.#inForce.push({ ...order, id: ++this.#lastId });
    this.#write();
  }

  /** Ends them all, and answers how often each kind struck since the last time. */
  async clear(): Promise<[StorageFault, number][]> {
    const ended = this.#inForce;
    this.#inForce = [];
    this.#write();
    const strikes = await readdir(join(this.#dir, "struck"));
    return ended.map(({ id, kind }) => [
      kind,
      strikes.filter((strike) => strike.startsWith(`${id}.`)).length,
    ]);
  }

  /** Takes one strike of the first fault of these kinds that is in force for a key. */
  async take(key: string, kinds: readonly StorageFault[]): Promise<StorageFault | undefined> {
    const orders = await this.#read();
    const fitting = orders.filter(
      ({ kind, prefix, untilMs }) => kinds.includes(kind) && key.startsWith(prefix) && Date.now() < untilMs,
    );
    for (const { id, kind, times } of fitting) if (await this.#strike(id, times)) return kind;
    return undefined;
  }

  async #strike(id: number, times: number): Promise<boolean> {
    for (let strike = (this.#spent.get(id) ?? 0) + 1; strike <= times; strike++) {
      this.#spent.set(id, strike);
      try {
        await (await open(join(this.#dir, "struck", `${id}.${strike}`), "wx")).close();
        return true;
      } catch (error) {
        // Another worker had this one.
        if (errnoOf(error) !== "EEXIST") throw error;
      }
    }
    return false;
  }

  async #read(): Promise<StorageFaultOrder[]> {
    const text = await readFile(join(this.#dir, "in-force.json"), "utf8").catch(() => "[]");
    return z.array(orderSchema).parse(JSON.parse(text));
  }

  /** By a rename, so that no worker reads half of it; in one go, because faults are ordered at the same time. */
  #write(): void {
    mkdirSync(join(this.#dir, "struck"), { recursive: true });
    writeFileSync(join(this.#dir, "next.json"), JSON.stringify(this.#inForce));
    renameSync(join(this.#dir, "next.json"), join(this.#dir, "in-force.json"));
  }
}
