import { createHash, createHmac, randomUUID } from "node:crypto";
import { z } from "zod";
import { parseJson } from "../storage/json.ts";
import type { Storage } from "../storage/storage.ts";
import { HttpProblem } from "./problems.ts";

/** How long an answer is kept and replayed. */
const keptMs = 24 * 3_600_000;

/** Expired entries are looked for this often, per process and tenant. */
const sweepEveryMs = 3_600_000;

export interface Answer {
  status: number;
  body: unknown;
}

const head = { at: z.number(), fingerprint: z.string() };
/** Written before the work: whoever repeats the request carries it out under the same id, which Temporal does once. */
const claimSchema = z.object({ ...head, update_id: z.string() });
const answerSchema = z.object({ ...head, status: z.int(), body: z.unknown() });

const sweptAt = new WeakMap<Storage, Map<string, number>>();

/**
 * What one tenant's idempotency key stands for, in storage, so that it holds over restarts and for every gateway. Every method throws
 * 409 where the key stood for another request, and `storage_unavailable`.
 */
export class KeptAnswer {
  readonly #storage: Storage;
  readonly #tenant: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #fingerprint: string;

  constructor(storage: Storage, tenant: string, key: string, request: string) {
    this.#storage = storage;
    this.#tenant = tenant;
    this.#folder = `idempotency/${tenant}/`;
    this.#name = this.#folder + createHash("sha256").update(key).digest("hex");
    // Under the caller's key, which is kept nowhere: a request may hold a short secret that a plain hash would give away.
    this.#fingerprint = createHmac("sha256", key).update(request).digest("hex");
  }

  /** The first answer; undefined where there is none, or none within 24 hours. */
  async read(): Promise<Answer | undefined> {
    const kept = await this.#own(this.#answerKey, answerSchema);
    return kept && { status: kept.status, body: kept.body };
  }

  /** The id of the update that the request was, or is to be, carried out under. */
  async claim(): Promise<string> {
    await this.#sweep();
    for (;;) {
      const claimed = await this.#own(this.#claimKey, claimSchema);
      if (claimed) return claimed.update_id;
      const claim = { at: Date.now(), fingerprint: this.#fingerprint, update_id: `http-${randomUUID()}` };
      await this.#storage.putIfAbsent(this.#claimKey, JSON.stringify(claim));
      // Read back: another gateway may have been first.
    }
  }

  async write({ status, body }: Answer): Promise<void> {
    const answer = { at: Date.now(), fingerprint: this.#fingerprint, status, body };
    await this.#storage.putIfAbsent(this.#answerKey, JSON.stringify(answer));
  }

  get #answerKey(): string {
    return `${this.#name}.json`;
  }

  get #claimKey(): string {
    return `${this.#name}.claim.json`;
  }

  /** An entry that still counts; an expired one is removed. */
  async #own<Kept extends z.infer<z.ZodObject<typeof head>>>(
    key: string,
    schema: z.ZodType<Kept>,
  ): Promise<Kept | undefined> {
    const kept = await readEntry(this.#storage, key, schema);
    if (!kept) return undefined;
    if (isExpired(kept)) {
      await this.#storage.delete(key);
      return undefined;
    }
    if (kept.fingerprint === this.#fingerprint) return kept;
    throw new HttpProblem(409, {
      "Idempotency-Key": ["was used for another request within 24 hours; use a new key for each request"],
    });
  }

  /** Now and then, so that keys that never come again do not stay for ever. */
  async #sweep(): Promise<void> {
    const swept = sweptAt.get(this.#storage) ?? new Map<string, number>();
    sweptAt.set(this.#storage, swept);
    if (Date.now() - (swept.get(this.#tenant) ?? 0) < sweepEveryMs) return;
    swept.set(this.#tenant, Date.now());
    for await (const key of this.#storage.list(this.#folder)) {
      const kept = await readEntry(this.#storage, key, z.object(head));
      if (kept && isExpired(kept)) await this.#storage.delete(key);
    }
  }
}

function isExpired({ at }: { at: number }): boolean {
  return Date.now() - at >= keptMs;
}

/** An entry that cannot be read counts as none: it is nobody's answer. */
async function readEntry<Kept>(
  storage: Storage,
  key: string,
  schema: z.ZodType<Kept>,
): Promise<Kept | undefined> {
  const bytes = await storage.get(key);
  return bytes && schema.safeParse(parseJson(bytes)).data;
}
