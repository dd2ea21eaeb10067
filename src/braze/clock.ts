/** Two clocks, because each misses something: monotonic time stops while a machine is suspended, wall time can be set back. */
export interface Clock {
  monotonicMs(): number;
  wallMs(): number;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};
