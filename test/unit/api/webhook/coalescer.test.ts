import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { Coalescer } from "../../../../src/api/webhook/coalescer.ts";

interface Body {
  computed_at?: string;
}

const at = (second: number): Body => ({
  computed_at: `2026-05-02T14:32:${String(second).padStart(2, "0")}Z`,
});

/** What was sent, with a switch that makes sending fail and one that makes it slow. */
function stage(everyMs: number) {
  const sent: Body[] = [];
  const state = { failing: false, slowMs: 0 };
  const coalescer = new Coalescer<Body>({
    everyMs,
    send: async (body) => {
      if (state.slowMs > 0) await delay(state.slowMs);
      if (state.failing) throw new Error("Temporal is away");
      sent.push(body);
    },
  });
  return { sent, state, coalescer };
}

test("a burst of a hundred becomes one signal at once and one trailing, the trailing one with the newest time", async () => {
  const { sent, coalescer } = stage(100);
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, index) => coalescer.offer("acme/7", at((index * 37) % 60))),
  );
  expect(outcomes.filter((outcome) => outcome === "signalled")).toHaveLength(1);
  expect(sent).toEqual([at(0)]);
  await expect.poll(() => sent.length).toBe(2);
  expect(sent[1]).toEqual(at(59));
  await delay(250);
  expect(sent).toHaveLength(2);
});

test("one alone is sent once, and one after its window at once again", async () => {
  const { sent, coalescer } = stage(50);
  await coalescer.offer("acme/7", at(1));
  await expect.poll(() => coalescer.isOpen("acme/7")).toBe(false);
  expect(await coalescer.offer("acme/7", at(2))).toBe("signalled");
  expect(sent).toEqual([at(1), at(2)]);
});

test("connectors do not wait for each other", async () => {
  const { sent, coalescer } = stage(10_000);
  await Promise.all([coalescer.offer("acme/7", at(1)), coalescer.offer("acme/8", at(2))]);
  expect(sent).toHaveLength(2);
  await coalescer.flush();
});

test("one without a time stands for a look and is not given up for one with a time", async () => {
  const { sent, coalescer } = stage(10_000);
  await coalescer.offer("acme/7", at(1));
  await coalescer.offer("acme/7", {});
  await coalescer.offer("acme/7", at(5));
  expect(await coalescer.flush()).toBe(0);
  expect(sent).toEqual([at(1), {}]);
});

test("one that cannot go at once is thrown back, and leaves nothing behind", async () => {
  const { sent, state, coalescer } = stage(10_000);
  state.failing = true;
  await expect(coalescer.offer("acme/7", at(1))).rejects.toThrow("Temporal is away");
  expect(coalescer.isOpen("acme/7")).toBe(false);
  state.failing = false;
  expect(await coalescer.offer("acme/7", at(2))).toBe("signalled");
  expect(sent).toEqual([at(2)]);
  await coalescer.flush();
});

test("those that were promised while the first was failing are sent all the same", async () => {
  const { sent, state, coalescer } = stage(10_000);
  Object.assign(state, { failing: true, slowMs: 50 });
  const first = coalescer.offer("acme/7", at(1));
  expect(await coalescer.offer("acme/7", at(9))).toBe("coalesced");
  await expect(first).rejects.toThrow("Temporal is away");
  Object.assign(state, { failing: false, slowMs: 0 });
  await expect.poll(() => sent, { timeout: 5000 }).toEqual([at(9)]);
  await coalescer.flush();
});

test("what waits is sent before the process ends, after what is under way", async () => {
  const { sent, state, coalescer } = stage(10_000);
  state.slowMs = 50;
  const first = coalescer.offer("acme/7", at(1));
  await coalescer.offer("acme/7", at(9));
  expect(await coalescer.flush()).toBe(0);
  await first;
  expect(sent).toEqual([at(1), at(9)]);
});

test("what cannot be sent before the process ends is counted", async () => {
  const { state, coalescer } = stage(10_000);
  await coalescer.offer("acme/7", at(1));
  await coalescer.offer("acme/7", at(2));
  state.failing = true;
  expect(await coalescer.flush()).toBe(1);
});
