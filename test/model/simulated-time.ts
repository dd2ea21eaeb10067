/** What a process waits for: so many milliseconds, or a signal, or a signal for so many milliseconds at most. */
type Wait = number | Signal | { signal: Signal; ms: number };

/** A process of the simulation: what lies between two `yield`s happens in one moment. */
export type Process<Result = void> = Generator<Wait, Result, void>;

/** Wakes whoever waits. It is not remembered: who begins to wait looks first whether there is need. */
export class Signal {
  readonly #waiting: (() => void)[] = [];

  wait(wake: () => void): void {
    this.#waiting.push(wake);
  }

  fire(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

interface Due {
  at: number;
  order: number;
  act: () => void;
}

/** Simulated time: processes that take turns in the order of their times, and in that of their begin where those are equal. */
export class SimulatedTime {
  now = 0;
  #order = 0;
  /** Few at a time, so a sorted list; the next one is the last. */
  readonly #due: Due[] = [];

  after(ms: number, act: () => void): void {
    const due = { at: this.now + ms, order: this.#order++, act };
    let place = this.#due.length;
    while (place > 0 && this.#due[place - 1]!.at <= due.at) place -= 1;
    this.#due.splice(place, 0, due);
  }

  /** Begins a process. The answer ends it, wherever it waits. */
  begin(process: Process): () => void {
    let waits = 0;
    let ended = false;
    const step = (wait: number) => {
      if (ended || wait !== waits) return;
      waits += 1;
      const { done, value } = process.next();
      if (!done) this.#wakeAfter(value, waits, step);
    };
    this.after(0, () => step(0));
    return () => {
      ended = true;
    };
  }

  #wakeAfter(wait: Wait, number: number, step: (wait: number) => void): void {
    if (typeof wait === "number") this.after(wait, () => step(number));
    else if (wait instanceof Signal) wait.wait(() => this.after(0, () => step(number)));
    else {
      wait.signal.wait(() => this.after(0, () => step(number)));
      this.after(wait.ms, () => step(number));
    }
  }

  /** Until nothing is due any more. Throws after `limit` steps: then a history never comes to rest. */
  run(limit: number): void {
    for (let due = this.#due.pop(), steps = 0; due; due = this.#due.pop(), steps += 1) {
      if (steps > limit) throw new Error(`the history did not come to rest in ${limit} steps`);
      this.now = due.at;
      due.act();
    }
  }
}
