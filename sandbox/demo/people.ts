import { maxUserIdBytes } from "../../src/contracts/channel.ts";

/** Ids as real systems make them. To Braze and to us they are bytes: nothing is trimmed, folded or unescaped. */
export const oddIds: readonly string[] = [
  'quo"ted',
  "apo'strophe",
  "back\\slash",
  "comma,semi;colon",
  "emoji-🦄👩‍👩‍👧",
  "with a space",
  " space-before",
  "space-after ",
  "line\nbreak",
  "tab\there",
  "Zoë",
  // The same to the eye, other bytes: e and a combining diaeresis.
  "Zoe\u0308",
  "ZOË",
  "NULL",
  "0042",
  "42",
  "n".repeat(900),
];

/** Users whom Braze blocks by name. */
export const blockedIds: readonly string[] = Array.from({ length: 5 }, (_, index) => `blocked-${index + 1}`);

/** Longer than what Braze takes as an id. */
export const overlongId = "x".repeat(maxUserIdBytes + 1);

/** Ordinary ids: `prefix + from` and so on. */
export function ids(prefix: string, from: number, howMany: number): string[] {
  return Array.from({ length: howMany }, (_, index) => `${prefix}${from + index}`);
}
