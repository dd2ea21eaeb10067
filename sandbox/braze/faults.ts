import { z } from "zod";
import { seededRandom } from "./seeded-random.ts";

const kinds = [
  "429",
  "500",
  "502",
  "503",
  "504",
  "reset_before",
  "reset_after",
  "reset_mid",
  "truncated_201",
  "html_201",
  "queued_202",
  "hang",
  "errors_as_strings",
  "index_out_of_range",
] as const;

/** Kinds that spoil an answer to a request which went through, unless told otherwise. */
const appliedByDefault = new Set<string>([
  "reset_after",
  "reset_mid",
  "truncated_201",
  "html_201",
  "queued_202",
  "errors_as_strings",
  "index_out_of_range",
]);

/** Body of POST /_control/faults. */
export const faultSchema = z.strictObject({
  /** Strikes requests with this key; any when left out. */
  key: z.string().optional(),
  /** Strikes paths that begin so; any when left out. */
  path: z.string().optional(),
  kind: z.enum(kinds),
  /** Whether the request takes effect although the answer is bad: the ambiguous outcome. */
  applied: z.boolean().optional(),
  /** Strikes at most so often; for ever when left out. */
  times: z.int().positive().optional(),
  /** Chance to strike each matching request, 0 to 1. */
  probability: z.number().min(0).max(1).optional(),
  seed: z.int().optional(),
  /** Seconds told with a 429 (`x-ratelimit-retry-after`) or 5xx (`retry-after`). */
  retryAfterSeconds: z.int().min(0).optional(),
  /** The fault ends so long after it was set, in ms. */
  durationMs: z.int().positive().optional(),
});

export type FaultOrder = z.infer<typeof faultSchema>;

/** A fault in force, and how often it struck. */
export interface Fault extends FaultOrder {
  id: number;
  applied: boolean;
  struck: number;
}

interface Armed {
  fault: Fault;
  random: () => number;
  endsAt: number;
}

/** The faults in force. The first that matches a request strikes it. */
export class Faults {
  #armed: Armed[] = [];
  #ids = 0;

  add(order: FaultOrder, now: number): Fault {
    const { applied = appliedByDefault.has(order.kind), durationMs = Infinity, seed = 1 } = order;
    const fault = { ...order, id: ++this.#ids, applied, struck: 0 };
    this.#armed.push({ fault, random: seededRandom(seed), endsAt: now + durationMs });
    return fault;
  }

  clear(): void {
    this.#armed = [];
  }

  list(): Fault[] {
    return this.#armed.map((armed) => armed.fault);
  }

  strike(key: string, path: string, now: number): Fault | undefined {
    for (const { fault, random, endsAt } of this.#armed) {
      if (now >= endsAt || fault.struck >= (fault.times ?? Infinity)) continue;
      if (fault.key !== undefined && fault.key !== key) continue;
      if (fault.path !== undefined && !path.startsWith(fault.path)) continue;
      if (random() >= (fault.probability ?? 1)) continue;
      fault.struck++;
      return fault;
    }
    return undefined;
  }
}
