import { describe, expect, test } from "vitest";
import { GROUP, Harness, OTHER_GROUP } from "./harness.ts";

const braze = new Harness();
const MIXED = "Either an email address or a phone number should be provided, but not both.";
const TOO_MANY = "The max number of external_ids and aliases per request was exceeded";
const ids = (count: number) => Array.from({ length: count }, (_, n) => `u${n}`);

const setV1 = async (key: string, body: object) =>
  braze.post(key, "/subscription/status/set", {
    subscription_group_id: GROUP,
    subscription_state: "subscribed",
    ...body,
  });

const setV2 = async (key: string, ...entries: object[]) =>
  braze.post(key, "/v2/subscription/status/set", {
    subscription_groups: entries.map((entry) => ({
      subscription_group_id: GROUP,
      subscription_state: "subscribed",
      ...entry,
    })),
  });

async function statusOf(key: string, query: string, group = GROUP): Promise<unknown> {
  const reply = await braze.get(key, `/subscription/status/get?subscription_group_id=${group}&${query}`);
  return reply.json["status"];
}

async function withUsers(...users: object[]): Promise<string> {
  const key = await braze.workspace();
  await braze.track(key, users);
  return key;
}

describe("subscription/status/set", () => {
  test("v1 sets one group, v2 several, and both answer a bare success", async () => {
    const key = await withUsers({ external_id: "a" }, { external_id: "b" });
    const success = { status: 201, text: '{"message":"success"}' };
    expect(await setV1(key, { external_id: ["a"] })).toMatchObject(success);
    const second = {
      subscription_group_id: OTHER_GROUP,
      subscription_state: "unsubscribed",
      external_ids: ["a"],
    };
    expect(await setV2(key, { external_ids: ["b"] }, second)).toMatchObject(success);
    expect(await statusOf(key, "external_id[]=a&external_id[]=b")).toEqual({
      a: "Subscribed",
      b: "Subscribed",
    });
    expect(await statusOf(key, "external_id=a", OTHER_GROUP)).toEqual({ a: "Unsubscribed" });
  });

  test("v1 does not understand the plural names, nor v2 the singular ones", async () => {
    const key = await withUsers({ external_id: "a" });
    expect((await setV1(key, { external_ids: ["a"] })).status).toBe(400);
    expect((await setV2(key, { external_id: ["a"] })).status).toBe(400);
  });

  test("50 ids pass, 51 answer 400; v2 counts over all its groups", async () => {
    const key = await braze.workspace();
    expect((await setV1(key, { external_id: ids(50) })).status).toBe(201);
    expect(await setV1(key, { external_id: ids(51) })).toMatchObject({
      status: 400,
      json: { message: TOO_MANY },
    });
    expect((await setV2(key, { external_ids: ids(25) }, { external_ids: ids(25) })).status).toBe(201);
    expect((await setV2(key, { external_ids: ids(26) }, { external_ids: ids(25) })).status).toBe(400);
  });

  test("e-mail addresses and phone numbers together answer 400 with Braze's sentence", async () => {
    const key = await braze.workspace();
    const mixed = { status: 400, json: { message: MIXED } };
    expect(await setV1(key, { email: "a@example.com", phone: "+4930123456" })).toMatchObject(mixed);
    expect(await setV2(key, { emails: ["a@example.com"] }, { phones: ["+4930123456"] })).toMatchObject(mixed);
  });

  test("an unknown external id is ignored: 201, and no profile appears", async () => {
    const key = await braze.workspace();
    expect((await setV2(key, { external_ids: ["nobody"] })).status).toBe(201);
    expect((await braze.control.stats(key)).users).toBe(0);
    expect(await statusOf(key, "external_id=nobody")).toEqual({ nobody: "Unknown" });
  });

  test("a bad group, a bad state and a phone number not in E.164 form answer 400", async () => {
    const key = await braze.workspace();
    expect((await setV2(key, { external_ids: ["a"], subscription_group_id: "x" })).status).toBe(400);
    expect((await setV2(key, { external_ids: ["a"], subscription_state: "Subscribed" })).status).toBe(400);
    expect((await setV2(key, { phones: ["030 123456"] })).status).toBe(400);
  });

  test("a change reaches every profile that shares the address, also when addressed by external id", async () => {
    const key = await withUsers(
      { external_id: "a", email: "shared@example.com" },
      { external_id: "b", email: "shared@example.com" },
    );
    await setV1(key, { email: "shared@example.com" });
    expect(await statusOf(key, "external_id[]=a&external_id[]=b")).toEqual({
      a: "Subscribed",
      b: "Subscribed",
    });
    await setV2(key, { external_ids: ["a"], subscription_state: "unsubscribed" });
    expect(await statusOf(key, "external_id[]=a&external_id[]=b")).toEqual({
      a: "Unsubscribed",
      b: "Unsubscribed",
    });
  });

  test("an address without a profile keeps its state for the profile to come, except with double opt-in", async () => {
    const key = await braze.workspace();
    await setV1(key, { email: "later@example.com" });
    await setV1(key, { phone: "+4930123456", use_double_opt_in_logic: true });
    expect(await statusOf(key, "email=later@example.com")).toEqual({ "later@example.com": "Subscribed" });
    await braze.track(key, [{ external_id: "a", email: "later@example.com" }]);
    await braze.track(key, [{ external_id: "b", phone: "+4930123456" }]);
    expect(await statusOf(key, "external_id[]=a&external_id[]=b")).toEqual({ a: "Subscribed", b: "Unknown" });
    await braze.track(key, [{ external_id: "too late", email: "later@example.com" }]);
    expect(await statusOf(key, "external_id=too%20late")).toEqual({ "too late": "Unknown" });
  });

  test("a change waits for the workspace's delay like any other", async () => {
    const key = await withUsers({ external_id: "a" });
    await braze.control.putWorkspace({ key, applyDelayMs: 300_000 });
    await setV2(key, { external_ids: ["a"] });
    expect(await statusOf(key, "external_id=a")).toEqual({ a: "Unknown" });
    await braze.control.putWorkspace({ key, applyDelayMs: 0 });
    expect(await statusOf(key, "external_id=a")).toEqual({ a: "Subscribed" });
  });
});

describe("subscription/status/get", () => {
  test("more than 50 ids, or e-mail and phone without external id, answer 400", async () => {
    const key = await braze.workspace();
    const path = `/subscription/status/get?subscription_group_id=${GROUP}`;
    const many = ids(51)
      .map((id) => `&external_id[]=${id}`)
      .join("");
    expect(await braze.get(key, path + many)).toMatchObject({ status: 400, json: { message: TOO_MANY } });
    expect(await braze.get(key, `${path}&email=a@example.com&phone=%2B491`)).toMatchObject({
      status: 400,
      json: { message: MIXED },
    });
    expect((await braze.get(key, path)).status).toBe(400);
  });
});
