import { setTimeout as delay } from "node:timers/promises";
import { compareComputedAt } from "../../contracts/recompute.ts";

/** A recompute to signal. Without `computed_at` it stands for "look", whatever else is known. */
export interface Signal {
  computed_at?: string;
}

interface CoalescerOptions<Body extends Signal> {
  /** Hands one on; throws where it could not. */
  send: (body: Body) => Promise<unknown>;
  /** At most one at once and one trailing within this time. */
  everyMs: number;
  /** A trailing one could not be sent and is tried again. */
  onRetry?: () => void;
}

interface Window<Body> {
  /** The newest of those that were promised to be handed on. */
  trailing: Body | null;
  timer: NodeJS.Timeout | null;
  sending: Promise<unknown> | null;
}

const retryMs = 1000;
const flushTries = 3;

/**
 * Bursts become one signal at once and one trailing per time and name, the trailing one with the newest `computed_at`. What was
 * answered `coalesced` is a promise: it is sent until it arrives, and `flush` sends it before the process ends.
 */
export class Coalescer<Body extends Signal> {
  readonly #options: CoalescerOptions<Body>;
  readonly #windows = new Map<string, Window<Body>>();

  constructor(options: CoalescerOptions<Body>) {
    this.#options = options;
  }

  /** Whether a window of this name is open, so that what is offered now is coalesced. */
  isOpen(name: string): boolean {
    return this.#windows.has(name);
  }

  /** Throws what `send` threw, for the one that was to go at once; those coalesced meanwhile are kept. */
  async offer(name: string, body: Body): Promise<"signalled" | "coalesced"> {
    const open = this.#windows.get(name);
    if (open) {
      open.trailing = newest(open.trailing, body);
      return "coalesced";
    }
    const window: Window<Body> = { trailing: null, timer: null, sending: null };
    this.#windows.set(name, window);
    try {
      await this.#send(window, body);
    } catch (error) {
      if (window.trailing) this.#arm(name, window, retryMs);
      else this.#windows.delete(name);
      throw error;
    }
    this.#arm(name, window, this.#options.everyMs);
    return "signalled";
  }

  /** Sends what waits. Answers how many could not be sent. */
  async flush(): Promise<number> {
    const windows = [...this.#windows.values()];
    this.#windows.clear();
    const sent = await Promise.all(windows.map((window) => this.#flushOne(window)));
    return sent.filter((done) => !done).length;
  }

  async #flushOne(window: Window<Body>): Promise<boolean> {
    if (window.timer) clearTimeout(window.timer);
    await window.sending?.catch(() => undefined);
    for (let tries = 0; window.trailing && tries < flushTries; tries++) {
      if (tries > 0) await delay(retryMs);
      await this.#sendTrailing(window);
    }
    return window.trailing === null;
  }

  #arm(name: string, window: Window<Body>, ms: number): void {
    // Flushed meanwhile: what waits was taken care of.
    if (this.#windows.get(name) !== window) return;
    window.timer = setTimeout(() => void this.#end(name, window), ms);
  }

  async #end(name: string, window: Window<Body>): Promise<void> {
    if (!window.trailing) {
      if (this.#windows.get(name) === window) this.#windows.delete(name);
      return;
    }
    const sent = await this.#sendTrailing(window);
    if (!sent) this.#options.onRetry?.();
    this.#arm(name, window, sent ? this.#options.everyMs : retryMs);
  }

  /** Taken out while it is under way, so that what comes meanwhile is not lost with it. */
  async #sendTrailing(window: Window<Body>): Promise<boolean> {
    const body = window.trailing;
    if (!body) return true;
    window.trailing = null;
    try {
      await this.#send(window, body);
      return true;
    } catch {
      window.trailing = newest(window.trailing, body);
      return false;
    }
  }

  async #send(window: Window<Body>, body: Body): Promise<void> {
    window.sending = this.#options.send(body);
    await window.sending;
  }
}

function newest<Body extends Signal>(a: Body | null, b: Body): Body {
  if (!a?.computed_at) return a ?? b;
  return !b.computed_at || compareComputedAt(b.computed_at, a.computed_at) > 0 ? b : a;
}
