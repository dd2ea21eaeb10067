import { setTimeout as delay } from "node:timers/promises";

/** Long enough for a worker's death to be noticed (15 s) and its part to be sent by another. */
const patienceMs = 60_000;

/**
 * Asks until there is an answer other than undefined, false or null, and answers it. Throws with what it waited for, and what the
 * last question threw, if any, when `timeoutMs` (60 s) are over.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false | null> | T | undefined | false | null,
  { timeoutMs = patienceMs, everyMs = 25 } = {},
): Promise<T> {
  const giveUpAt = Date.now() + timeoutMs;
  let failure: unknown;
  for (;;) {
    try {
      const answer = await ask();
      failure = undefined;
      if (answer !== undefined && answer !== false && answer !== null) return answer;
    } catch (error) {
      failure = error;
    }
    if (Date.now() >= giveUpAt) {
      throw new Error(`waited ${timeoutMs / 1000} s in vain until ${what}`, { cause: failure });
    }
    await delay(everyMs);
  }
}
