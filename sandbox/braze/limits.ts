import type { WorkspaceSettings } from "./workspace-settings.ts";

const HOUR_MS = 3_600_000;

type Alignment = "clock" | "firstRequest";

/** A quota that starts again at the end of a window: at the top of the clock hour, or so long after its first request. */
export class FixedWindow {
  readonly #lengthMs: number;
  readonly #alignment: Alignment;
  #endsAt = 0;
  #used = 0;

  constructor(lengthMs: number, alignment: Alignment) {
    this.#lengthMs = lengthMs;
    this.#alignment = alignment;
  }

  hasRoom(limit: number, now: number): boolean {
    if (now >= this.#endsAt) {
      const start = this.#alignment === "clock" ? now - (now % this.#lengthMs) : now;
      this.#endsAt = start + this.#lengthMs;
      this.#used = 0;
    }
    return this.#used < limit;
  }

  use(): void {
    this.#used++;
  }

  reading(limit: number): LimitReading {
    return { limit, remaining: Math.max(0, limit - this.#used), endsAt: this.#endsAt };
  }
}

/** What the rate headers tell of a window; `endsAt` in epoch ms. */
interface LimitReading {
  limit: number;
  remaining: number;
  endsAt: number;
}

interface Quota {
  window: FixedWindow;
  limit: number;
}

/** Verdict on one request: the window its headers describe, and the one that refused it. */
export interface Verdict {
  described: LimitReading | undefined;
  /** When the refusing window ends, in epoch ms; undefined when the request may pass. */
  refusedUntil: number | undefined;
}

export type LimitPool = "track" | "subscription";

/** The windows of one company; a workspace that names none has its own. */
export class Limiter {
  readonly #burst = new FixedWindow(3_000, "firstRequest");
  readonly #hour = new FixedWindow(HOUR_MS, "clock");
  readonly #subscription = new FixedWindow(60_000, "firstRequest");

  take(pool: LimitPool, settings: WorkspaceSettings, now: number): Verdict {
    const quotas = this.#quotas(pool, settings);
    const refusing = quotas.find((quota) => !quota.window.hasRoom(quota.limit, now));
    // A refused request uses up nothing, so that a client which waits until the reset finds the whole quota.
    if (refusing === undefined) for (const quota of quotas) quota.window.use();
    const refusedUntil = refusing?.window.reading(refusing.limit).endsAt;
    // The headers describe the long window: a burst can be refused while plenty remains.
    const described = quotas[0];
    described?.window.hasRoom(described.limit, now);
    return { described: described?.window.reading(described.limit), refusedUntil };
  }

  #quotas(pool: LimitPool, settings: WorkspaceSettings): Quota[] {
    const { perHour, burstPer3s, subscriptionPerMinute } = settings;
    const pairs: [FixedWindow, number | null][] =
      pool === "subscription"
        ? [[this.#subscription, subscriptionPerMinute]]
        : [
            [this.#hour, perHour],
            [this.#burst, burstPer3s],
          ];
    return pairs.flatMap(([window, limit]) => (limit === null ? [] : [{ window, limit }]));
  }
}

/** The rate headers of an answer, in the workspace's mode. */
export function limitHeaders(
  verdict: Verdict,
  mode: WorkspaceSettings["headerMode"],
  now: number,
): Record<string, string> | undefined {
  const { described, refusedUntil } = verdict;
  if (mode === "off") return undefined;
  if (mode === "b" && refusedUntil !== undefined) {
    return { "x-ratelimit-retry-after": String(secondsUntil(refusedUntil, now)) };
  }
  if (described === undefined) return undefined;
  const reset = mode === "a" ? Math.ceil(described.endsAt / 1000) : secondsUntil(described.endsAt, now);
  return {
    "x-ratelimit-limit": String(described.limit),
    "x-ratelimit-remaining": String(described.remaining),
    "x-ratelimit-reset": String(reset),
  };
}

function secondsUntil(time: number, now: number): number {
  return Math.max(1, Math.ceil((time - now) / 1000));
}
