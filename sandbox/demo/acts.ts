import type { Act } from "./act.ts";
import { brazeFailing } from "./acts/braze-failing.ts";
import { delta } from "./acts/delta.ts";
import { firstLoad } from "./acts/first-load.ts";
import { largeRemoval } from "./acts/large-removal.ts";
import { noChange } from "./acts/no-change.ts";
import { overHttp } from "./acts/over-http.ts";
import { wrongKey } from "./acts/wrong-key.ts";

/** In the order in which they are played: each goes on from what the ones before it left. */
export const acts: readonly Act[] = [
  firstLoad,
  delta,
  noChange,
  largeRemoval,
  brazeFailing,
  wrongKey,
  overHttp,
];
