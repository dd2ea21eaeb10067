import type { Choices } from "./choices.ts";

/**
 * How often each trouble strikes in one history: once in so many times. Drawn anew for each, since a history with much of one
 * trouble and little of another reaches what an even mixture never does.
 */
export interface Weather {
  /** A connector is terminated, or a second one begins beside it. */
  restart: number;
  /** Braze begins to reject a user, or ceases to. */
  rejection: number;
  requestLost: number;
  refusal: number;
  answerLost: number;
  /** A step of a run is long in coming. */
  slowStep: number;
  slowCommit: number;
  /** The same for the commit that closes somebody else's run. */
  slowClose: number;
  /** An attempt is long in beginning. */
  slowStart: number;
  /** Of an attempt's steps: it dies, is frozen or cut off. */
  attemptFault: number;
  /** A run is cut short while a part is under way. */
  cutShort: number;
}

export function drawWeather(choices: Choices): Weather {
  const often = (usual: number, stormy: number) => (choices.chance(3) ? stormy : usual);
  // Too few workers are late with everything at once.
  const isOverloaded = choices.chance(8);
  return {
    restart: often(6, 2),
    rejection: often(5, 2),
    requestLost: often(20, 4),
    refusal: often(40, 5),
    answerLost: often(12, 3),
    slowStep: often(40, 6),
    slowCommit: often(40, 3),
    slowClose: isOverloaded ? 1 : 20,
    slowStart: isOverloaded ? 2 : 400,
    attemptFault: often(24, 6),
    cutShort: often(30, 4),
  };
}
