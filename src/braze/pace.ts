/** Tokens saved up at most, in time: enough to bridge a busy event loop, too little for a burst that Braze would punish. */
const savedUpMs = 50;

/** Additive increase: back from half to the ceiling in ten seconds. */
const increasePerSecond = 0.05;

/** Answers to requests that were under way when the pace fell say nothing about the new one. */
const decreaseAtMostEveryMs = 1000;

/**
 * A token bucket whose rate falls by half when Braze says 429 and climbs back to its ceiling. Pure: every method is told the
 * time, in milliseconds of a clock that never goes back.
 */
export class Pace {
  #ceiling: number;
  #rate: number;
  #tokens: number;
  #at: number;
  #pausedUntil = 0;
  #loweredAt = Number.NEGATIVE_INFINITY;

  constructor(ceilingPerSecond: number, nowMs: number) {
    this.#ceiling = ceilingPerSecond;
    this.#rate = ceilingPerSecond;
    this.#tokens = this.#mostTokens();
    this.#at = nowMs;
  }

  limitTo(ceilingPerSecond: number, nowMs: number): void {
    this.#refill(nowMs);
    // A raised ceiling is reached at once where nothing had lowered the rate.
    this.#rate = this.#rate === this.#ceiling ? ceilingPerSecond : Math.min(this.#rate, ceilingPerSecond);
    this.#ceiling = ceilingPerSecond;
  }

  /** Takes up to `wanted` whole tokens and says how many there were. */
  take(wanted: number, nowMs: number): number {
    this.#refill(nowMs);
    const taken = nowMs < this.#pausedUntil ? 0 : Math.min(wanted, Math.floor(this.#tokens));
    this.#tokens -= taken;
    return taken;
  }

  /** How long until so many tokens could have been taken. */
  waitMs(tokens: number, nowMs: number): number {
    this.#refill(nowMs);
    const pauseMs = Math.max(0, this.#pausedUntil - nowMs);
    return pauseMs + Math.max(0, ((tokens - this.#tokens) / this.#rate) * 1000);
  }

  lower(nowMs: number): void {
    this.#refill(nowMs);
    if (nowMs - this.#loweredAt < decreaseAtMostEveryMs) return;
    this.#loweredAt = nowMs;
    this.#rate = Math.max(Math.min(1, this.#ceiling), this.#rate / 2);
    this.#tokens = Math.min(this.#tokens, this.#mostTokens());
  }

  /** Nothing for so long, and no burst right after. */
  pause(ms: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#pausedUntil = Math.max(this.#pausedUntil, nowMs + ms);
    this.#tokens = 0;
  }

  #refill(nowMs: number): void {
    const seconds = Math.max(0, nowMs - Math.max(this.#at, this.#pausedUntil)) / 1000;
    this.#at = Math.max(this.#at, nowMs);
    this.#rate = Math.min(this.#ceiling, this.#rate + this.#ceiling * increasePerSecond * seconds);
    this.#tokens = Math.min(this.#mostTokens(), this.#tokens + this.#rate * seconds);
  }

  #mostTokens(): number {
    return Math.max(1, (this.#rate * savedUpMs) / 1000);
  }
}
