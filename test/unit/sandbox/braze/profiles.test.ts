import { describe, expect, test } from "vitest";
import { GROUP, Harness } from "./harness.ts";

const braze = new Harness();

describe("which profile is written", () => {
  test("update-only with an unknown user counts as processed and creates nothing", async () => {
    const key = await braze.workspace();
    const reply = await braze.track(key, [{ external_id: "ghost", vip: null, _update_existing_only: true }]);
    expect(reply.text).toBe('{"attributes_processed":1,"message":"success"}');
    expect((await braze.control.stats(key)).users).toBe(0);
  });

  test("an alias is update-only unless the flag says false", async () => {
    const key = await braze.workspace();
    const user_alias = { alias_name: "anna", alias_label: "crm" };
    await braze.track(key, [{ user_alias, vip: true }]);
    expect((await braze.control.stats(key)).users).toBe(0);
    await braze.track(key, [{ user_alias, vip: true, _update_existing_only: false }]);
    await braze.track(key, [{ user_alias, tier: 2 }]);
    const body = { user_aliases: [user_alias], fields_to_export: ["user_aliases", "custom_attributes"] };
    const reply = await braze.post(key, "/users/export/ids", body);
    expect(reply.json["users"]).toEqual([
      { user_aliases: [user_alias], custom_attributes: { vip: true, tier: 2 } },
    ]);
  });

  test("an unknown external id with a known e-mail address becomes a second profile", async () => {
    const key = await braze.workspace();
    await braze.track(key, [{ external_id: "first", email: "a@example.com" }]);
    await braze.track(key, [{ external_id: "second", email: "a@example.com" }]);
    const found = await braze.usersOf(key, ["first", "second"], ["external_id", "email"]);
    expect(found).toEqual([
      { external_id: "first", email: "a@example.com" },
      { external_id: "second", email: "a@example.com" },
    ]);
  });

  test("an e-mail address alone finds the latest updated profile that has an external id, or creates one", async () => {
    const key = await braze.workspace();
    await braze.track(key, [{ email: "new@example.com", vip: true }]);
    expect((await braze.control.stats(key)).users).toBe(1);
    await braze.track(key, [
      { external_id: "old", email: "a@example.com" },
      { external_id: "late", email: "a@example.com" },
      { external_id: "old", tier: 1 },
    ]);
    await braze.track(key, [{ email: "a@example.com", vip: true }]);
    expect(await braze.attributesOf(key, "old")).toEqual({ tier: 1, vip: true });
    expect(await braze.attributesOf(key, "late")).toEqual({});
  });

  test("a braze_id from an export finds its profile, an unknown one has no effect", async () => {
    const key = await braze.workspace();
    await braze.track(key, [{ external_id: "a", vip: true }]);
    const [user] = await braze.usersOf(key, ["a"], ["braze_id"]);
    await braze.track(key, [
      { braze_id: user?.["braze_id"], tier: 3 },
      { braze_id: "f".repeat(24), tier: 4 },
    ]);
    expect(await braze.attributesOf(key, "a")).toEqual({ vip: true, tier: 3 });
    expect((await braze.control.stats(key)).users).toBe(1);
  });

  test("subscription groups of an object reach every profile with the same e-mail address", async () => {
    const key = await braze.workspace();
    await braze.track(key, [
      { external_id: "a", email: "shared@example.com" },
      { external_id: "b", email: "shared@example.com" },
      { external_id: "c", email: "other@example.com" },
    ]);
    const subscription_groups = [{ subscription_group_id: GROUP, subscription_state: "subscribed" }];
    await braze.track(key, [{ external_id: "a", subscription_groups }]);
    const query = `subscription_group_id=${GROUP}&external_id[]=a&external_id[]=b&external_id[]=c`;
    const reply = await braze.get(key, `/subscription/status/get?${query}`);
    expect(reply.json["status"]).toEqual({ a: "Subscribed", b: "Subscribed", c: "Unknown" });
  });
});

describe("what a value leaves behind", () => {
  async function stored(
    values: unknown[],
    settings: Parameters<Harness["workspace"]>[0] = {},
  ): Promise<unknown> {
    const key = await braze.workspace(settings);
    for (const value of values) {
      expect((await braze.track(key, [{ external_id: "u", x: value }])).json["attributes_processed"]).toBe(1);
    }
    return ((await braze.attributesOf(key, "u")) as Record<string, unknown>)["x"];
  }

  test("null deletes the attribute, and a key that is not sent stays", async () => {
    const key = await braze.workspace();
    await braze.track(key, [{ external_id: "u", a: true, b: false }]);
    await braze.track(key, [{ external_id: "u", a: null }]);
    expect(await braze.attributesOf(key, "u")).toEqual({ b: false });
  });

  test("a blocklisted attribute is counted and dropped in silence, at no cost", async () => {
    const key = await braze.workspace({ blocklistedAttributes: ["x"] });
    await braze.track(key, [{ external_id: "u", x: true }]);
    expect(await braze.attributesOf(key, "u")).toEqual({});
    expect((await braze.control.stats(key)).dataPoints).toBe(0);
  });

  test("a forced type drops other types, a forced boolean coerces its words", async () => {
    expect(await stored([7, "seven"], { forcedTypes: { x: "number" } })).toBe(7);
    expect(await stored(["T"], { forcedTypes: { x: "boolean" } })).toBe(true);
    expect(await stored([true, 0], { forcedTypes: { x: "boolean" } })).toBe(false);
    expect(await stored([true, "maybe"], { forcedTypes: { x: "boolean" } })).toBe(true);
  });

  test("a string over 255 characters is dropped and leaves the old value", async () => {
    expect(await stored(["old", "y".repeat(256)])).toBe("old");
    expect(await stored(["y".repeat(255)])).toBe("y".repeat(255));
  });

  test("a nested object with a null in it is dropped, a whole one is stored", async () => {
    expect(await stored([{ a: { b: 1 } }, { a: { b: null } }])).toEqual({ a: { b: 1 } });
  });

  test("an array of objects over 100 KB is dropped and leaves the old value", async () => {
    expect(await stored([[{ a: 1 }], [{ a: "z".repeat(103_000) }]])).toEqual([{ a: 1 }]);
  });

  test("an array keeps its newest elements up to the limit", async () => {
    expect(await stored([["a", "b", "c", "d"]], { arrayLimit: 3 })).toEqual(["b", "c", "d"]);
  });

  test("an array is a set: a value added again moves to the end", async () => {
    expect(await stored([["a", "b", "a"], { add: ["c", "b"] }, { remove: ["a"] }])).toEqual(["c", "b"]);
  });

  test("a number can be incremented", async () => {
    expect(await stored([4, { inc: 3 }])).toBe(7);
  });

  test("a string that looks like a date becomes a time", async () => {
    expect(await stored(["12/1/2021"])).toBe("2021-12-01T00:00:00.000Z");
    expect(await stored(["2021-12-01"])).toBe("2021-12-01T00:00:00.000Z");
    expect(await stored(["12/1"])).toBe("12/1");
  });
});
