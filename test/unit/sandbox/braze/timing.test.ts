import { describe, expect, test } from "vitest";
import { collect, Harness } from "./harness.ts";

const braze = new Harness();

describe("accepted is not applied", () => {
  test("an accepted change is invisible until its delay is over", async () => {
    const key = await braze.workspace({ applyDelayMs: 300_000 });
    await braze.track(key, [{ external_id: "u", vip: true }]);
    expect(await braze.attributesOf(key, "u")).toBeUndefined();
    expect((await braze.control.stats(key)).pending).toBe(1);
    await braze.control.putWorkspace({ key, applyDelayMs: 20 });
    await braze.control.settle(key);
    expect(await braze.attributesOf(key, "u")).toEqual({ vip: true });
    expect((await braze.control.stats(key)).pending).toBe(0);
  });

  test("in order, the later of two requests for a user wins", async () => {
    expect(await lastOfTwo({ applyOrder: "fifo" })).toBe(2);
  });

  test("reversed, the earlier of two pending requests for a user wins", async () => {
    expect(await lastOfTwo({ applyOrder: "reversed" })).toBe(1);
  });

  test("shuffled, the order follows from the seed", async () => {
    const winners = [];
    for (const applySeed of [1, 1, 20, 30, 40, 50, 60, 70])
      winners.push(await lastOfTwo({ applyOrder: "shuffled", applySeed }));
    expect(winners[0]).toBe(winners[1]);
    expect(new Set(winners)).toEqual(new Set([1, 2]));
  });

  async function lastOfTwo(settings: Parameters<Harness["workspace"]>[0]): Promise<unknown> {
    const key = await braze.workspace({ ...settings, applyDelayMs: 300_000 });
    await braze.track(key, [{ external_id: "u", n: 1 }]);
    await braze.track(key, [{ external_id: "u", n: 2 }]);
    await braze.control.putWorkspace({ key, applyDelayMs: 0 });
    return ((await braze.attributesOf(key, "u")) as Record<string, unknown>)["n"];
  }

  test("with lost updates, the later of two pending requests wipes what the earlier wrote", async () => {
    const key = await braze.workspace({ lostUpdate: true });
    await braze.track(key, [{ external_id: "u", a: "old" }]);
    await braze.control.putWorkspace({ key, applyDelayMs: 300_000 });
    await braze.track(key, [{ external_id: "u", a: "new", b: true }]);
    await braze.track(key, [{ external_id: "u", c: true }]);
    await braze.control.putWorkspace({ key, applyDelayMs: 0 });
    expect(await braze.attributesOf(key, "u")).toEqual({ a: "old", c: true });
  });

  test("two objects for one user in one request apply in their order", async () => {
    const key = await braze.workspace({ lostUpdate: true });
    await braze.track(key, [
      { external_id: "u", a: 1, b: 1 },
      { external_id: "u", a: 2 },
    ]);
    expect(await braze.attributesOf(key, "u")).toEqual({ a: 2, b: 1 });
  });
});

describe("nothing is idempotent", () => {
  test("each attribute sent costs a data point, unchanged values too; ids and subscription states are free", async () => {
    const key = await braze.workspace();
    const object = {
      external_id: "u",
      a: true,
      b: null,
      email_subscribe: "subscribed",
      _update_existing_only: false,
    };
    await braze.track(key, [object]);
    await braze.track(key, [object]);
    await braze.track(key, [{ external_id: "u", list: { add: ["x", "y", "z"] } }]);
    expect((await braze.control.stats(key)).dataPoints).toBe(7);
  });

  test("a body sent again is applied again and counts as a duplicate", async () => {
    const key = await braze.workspace({ recordWrites: true });
    for (const vip of [true, false, true]) await braze.track(key, [{ external_id: "u", vip }]);
    expect((await braze.control.stats(key)).duplicates).toBe(1);
    expect((await collect(braze.control.writes(key))).map((write) => write.value)).toEqual([
      true,
      false,
      true,
    ]);
  });
});
