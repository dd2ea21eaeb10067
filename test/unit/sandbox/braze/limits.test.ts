import { describe, expect, test } from "vitest";
import { FixedWindow } from "../../../../sandbox/braze/limits.ts";
import { GROUP, Harness } from "./harness.ts";

const braze = new Harness();
const send = async (key: string) => braze.track(key, [{ external_id: "u", vip: true }]);
const rateHeaders = (headers: Headers) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith("x-ratelimit")));

describe("windows", () => {
  test("an hour's quota starts again at the top of the clock hour, not an hour after the first request", () => {
    const window = new FixedWindow(3_600_000, "clock");
    const tenToOne = Date.UTC(2026, 0, 1, 0, 50);
    expect(window.hasRoom(1, tenToOne)).toBe(true);
    window.use();
    expect(window.hasRoom(1, tenToOne + 9 * 60_000)).toBe(false);
    expect(window.hasRoom(1, tenToOne + 10 * 60_000)).toBe(true);
  });

  test("a burst window lasts three seconds from its first request", () => {
    const window = new FixedWindow(3_000, "firstRequest");
    expect(window.hasRoom(1, 10_500)).toBe(true);
    window.use();
    expect(window.hasRoom(1, 13_499)).toBe(false);
    expect(window.hasRoom(1, 13_500)).toBe(true);
  });
});

describe("rate limits on the wire", () => {
  test("no limit holds unless one is set, and then no rate header is sent", async () => {
    const key = await braze.workspace();
    expect(rateHeaders((await send(key)).headers)).toEqual({});
  });

  test("mode A sends three headers always, with the reset in epoch seconds", async () => {
    const key = await braze.workspace({ perHour: 1, headerMode: "a" });
    const reset = String(Math.ceil(Date.now() / 3_600_000) * 3_600);
    const passed = await send(key);
    const expected = { "x-ratelimit-limit": "1", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset };
    expect(rateHeaders(passed.headers)).toEqual(expected);
    const refused = await send(key);
    expect(refused).toMatchObject({ status: 429, json: { message: "Rate limit exceeded" } });
    expect(rateHeaders(refused.headers)).toEqual(expected);
  });

  test("mode B counts the reset in seconds left, and a 429 carries only a retry-after", async () => {
    const key = await braze.workspace({ burstPer3s: 1, perHour: 1_000, headerMode: "b" });
    const passed = rateHeaders((await send(key)).headers);
    expect(Object.keys(passed)).toEqual(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]);
    expect(Number(passed["x-ratelimit-reset"])).toBeLessThanOrEqual(3_600);
    const refused = rateHeaders((await send(key)).headers);
    expect(Object.keys(refused)).toEqual(["x-ratelimit-retry-after"]);
    expect(["1", "2", "3"]).toContain(refused["x-ratelimit-retry-after"]);
  });

  test("a burst can be refused while plenty of the hour remains", async () => {
    const key = await braze.workspace({ burstPer3s: 1, perHour: 1_000 });
    await send(key);
    const refused = await send(key);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("x-ratelimit-remaining")).toBe("999");
  });

  test("a 429 may come with an empty body and without any header", async () => {
    const key = await braze.workspace({ burstPer3s: 1, limitBody: "empty", headerMode: "off" });
    await send(key);
    const refused = await send(key);
    expect(refused).toMatchObject({ status: 429, text: "" });
    expect(rateHeaders(refused.headers)).toEqual({});
  });

  test("workspaces of one company share their windows, others do not", async () => {
    const settings = { burstPer3s: 1, company: "acme" };
    const [first, second] = [await braze.workspace(settings), await braze.workspace(settings)];
    const stranger = await braze.workspace({ burstPer3s: 1 });
    expect((await send(first)).status).toBe(201);
    expect((await send(second)).status).toBe(429);
    expect((await send(stranger)).status).toBe(201);
  });

  test("both subscription paths draw on one quota, which /users/track leaves alone", async () => {
    const key = await braze.workspace({ subscriptionPerMinute: 2 });
    await send(key);
    const entry = { subscription_group_id: GROUP, subscription_state: "subscribed" };
    const v1 = async () => braze.post(key, "/subscription/status/set", { ...entry, external_id: ["u"] });
    const v2 = async () =>
      braze.post(key, "/v2/subscription/status/set", {
        subscription_groups: [{ ...entry, external_ids: ["u"] }],
      });
    expect((await v1()).status).toBe(201);
    expect((await v2()).status).toBe(201);
    expect((await v1()).status).toBe(429);
    expect((await send(key)).status).toBe(201);
  });
});
