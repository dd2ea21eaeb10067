import { setMaxListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createGovernor } from "../../../src/braze/governor.ts";
import type { Governor } from "../../../src/braze/governor.ts";
import { failureOf } from "./failure-of.ts";

const forever = new AbortController().signal;
setMaxListeners(0, forever);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Keeps `waiters` requests waiting all the time and counts those that were granted. */
function saturate(governor: Governor, waiters = 50): { granted: number; refused: number } {
  const count = { granted: 0, refused: 0 };
  const ask = (): void => {
    governor.acquire("load", forever).then(
      () => {
        count.granted++;
        ask();
      },
      () => count.refused++,
    );
  };
  for (let n = 0; n < waiters; n++) ask();
  return count;
}

async function grantedIn(count: { granted: number }, ms: number): Promise<number> {
  const before = count.granted;
  await vi.advanceTimersByTimeAsync(ms);
  return count.granted - before;
}

describe("the pace", () => {
  test("keeps to the ceiling", async () => {
    const count = saturate(createGovernor(100), 10);
    await vi.advanceTimersByTimeAsync(1000);
    const rate = await grantedIn(count, 10_000);
    expect(rate).toBeGreaterThanOrEqual(990);
    expect(rate).toBeLessThanOrEqual(1010);
  });

  test("is not capped by the grain of timers: 2,000 who wait get 10,000 a second", async () => {
    vi.useRealTimers();
    const governor = createGovernor(10_000);
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 2000 }, () => governor.acquire("load", forever)));
    const tookMs = performance.now() - startedAt;
    // 500 saved-up tokens, then 1,500 at the pace; one for each timer would take over 1,500 ms.
    expect(tookMs).toBeGreaterThan(140);
    expect(tookMs).toBeLessThan(1000);
  });

  test("halves on a 429, once for all answers of the same second, and recovers", async () => {
    const governor = createGovernor(100);
    const count = saturate(governor, 20);
    await vi.advanceTimersByTimeAsync(1000);
    for (let n = 0; n < 8; n++) governor.observe({ status: 429, headers: {} });
    const slowed = await grantedIn(count, 1000);
    expect(slowed).toBeGreaterThan(45);
    expect(slowed).toBeLessThan(60);
    await vi.advanceTimersByTimeAsync(12_000);
    expect(await grantedIn(count, 1000)).toBeGreaterThan(97);
  });

  test("never falls to nothing, however often Braze says 429", async () => {
    const governor = createGovernor(100);
    for (let n = 0; n < 60; n++) {
      governor.observe({ status: 429, headers: {} });
      vi.advanceTimersByTime(1000);
    }
    const count = saturate(governor, 2);
    expect(await grantedIn(count, 2000)).toBeGreaterThanOrEqual(1);
  });

  test("follows a lower ceiling while its connector is heard of, and forgets it after", async () => {
    const governor = createGovernor(100);
    const count = saturate(governor, 20);
    governor.limitTo(10);
    governor.limitTo(100);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await grantedIn(count, 1000)).toBeLessThanOrEqual(11);
    await vi.advanceTimersByTimeAsync(121_000);
    governor.limitTo(100);
    expect(await grantedIn(count, 1000)).toBeGreaterThan(90);
  });
});

describe("what Braze asks for", () => {
  test("a 429 silences the whole workspace for as long as Braze asks", async () => {
    const governor = createGovernor(100);
    const count = saturate(governor, 10);
    await vi.advanceTimersByTimeAsync(500);
    governor.observe({ status: 429, headers: { "x-ratelimit-retry-after": "3" } });
    expect(await grantedIn(count, 2990)).toBe(0);
    expect(await grantedIn(count, 500)).toBeGreaterThan(0);
  });

  test.each([
    ["seconds left", () => "4"],
    ["epoch seconds", () => String(Math.floor(Date.now() / 1000) + 4)],
  ])("a spent window pauses until its reset in %s", async (_, reset) => {
    vi.setSystemTime(1_777_732_320_000);
    const governor = createGovernor(100);
    const count = saturate(governor, 10);
    await vi.advanceTimersByTimeAsync(1000);
    governor.observe({
      status: 201,
      headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset() },
    });
    expect(await grantedIn(count, 3900)).toBe(0);
    expect(await grantedIn(count, 600)).toBeGreaterThan(0);
  });

  test("a wait over ten seconds gives the slot back to those who wait and to those who come, with the time", async () => {
    const governor = createGovernor(1);
    await governor.acquire("a", forever);
    const waiting = failureOf(governor.acquire("a", forever));
    governor.observe({ status: 429, headers: { "retry-after": "30" } });
    expect(await waiting).toMatchObject({
      code: "braze_rate_limited",
      retryAfterMs: expect.toSatisfy((ms: number) => ms >= 30_000 && ms <= 31_000),
    });
    await vi.advanceTimersByTimeAsync(10_000);
    await expect(governor.acquire("a", forever)).rejects.toMatchObject({
      code: "braze_rate_limited",
      retryAfterMs: expect.toSatisfy((ms: number) => ms >= 20_000 && ms <= 21_000),
    });
  });

  test("a queue of over ten seconds refuses the next in it", async () => {
    const governor = createGovernor(1);
    const count = saturate(governor, 11);
    await vi.advanceTimersByTimeAsync(0);
    expect(count.refused).toBeGreaterThan(0);
    expect(count.granted).toBeGreaterThan(0);
  });
});

describe("between connectors", () => {
  test("tokens go round in turn, so that a large load does not starve a small one", async () => {
    const governor = createGovernor(10);
    await governor.acquire("first", forever);
    const order: string[] = [];
    const ask = (id: string) => void governor.acquire(id, forever).then(() => order.push(id));
    for (let n = 0; n < 6; n++) ask("large");
    for (let n = 0; n < 2; n++) ask("small");
    ask("tiny");
    await vi.advanceTimersByTimeAsync(2000);
    expect(order).toEqual(["large", "small", "tiny", "large", "small", "large", "large", "large", "large"]);
  });

  test("a wait that is aborted takes no token", async () => {
    const governor = createGovernor(10);
    await governor.acquire("a", forever);
    const stop = new AbortController();
    const aborted = failureOf(governor.acquire("a", stop.signal));
    const next = governor.acquire("a", forever);
    stop.abort(new Error("enough"));
    expect(String(await aborted)).toContain("enough");
    await vi.advanceTimersByTimeAsync(101);
    await expect(next).resolves.toBeUndefined();
  });
});
