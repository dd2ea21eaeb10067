import { describe, expect, test } from "vitest";
import { GROUP, Harness } from "./harness.ts";

const braze = new Harness();
const NOTHING_VALID = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields.";
const users = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ external_id: `u${n}`, vip: true }));

describe("the object budget", () => {
  test("75 objects over all arrays pass, 76 answer 400 and apply nothing", async () => {
    const key = await braze.workspace();
    const event = { external_id: "u0", name: "seen", time: "2026-01-01T00:00:00Z" };
    const over = await braze.post(key, "/users/track", { attributes: users(75), events: [event] });
    expect(over).toMatchObject({ status: 400, text: '{"message":"Max Input Length Exceeded"}' });
    expect((await braze.control.stats(key)).users).toBe(0);
    const full = await braze.post(key, "/users/track", { attributes: users(74), events: [event] });
    expect(full.text).toBe('{"attributes_processed":74,"events_processed":1,"message":"success"}');
  });

  test("the legacy budget counts each array alone, the 2025 one ends at 50", async () => {
    const key = await braze.workspace({ objectBudget: "legacy75each" });
    const purchases = users(75).map(({ external_id }) => ({ external_id, quantity: 1 }));
    expect((await braze.post(key, "/users/track", { attributes: users(75), purchases })).status).toBe(201);
    expect((await braze.track(key, users(76))).status).toBe(400);
    await braze.control.putWorkspace({ key, objectBudget: "combined50" });
    expect((await braze.track(key, users(50))).status).toBe(201);
    expect((await braze.track(key, users(51))).status).toBe(400);
  });
});

const invalid: [string, unknown, string, string][] = [
  ["no object", 7, "(stand-in) each entry must be an object", "STANDIN_NOT_AN_OBJECT"],
  [
    "no identifier",
    { vip: true },
    "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required",
    "STANDIN_IDENTIFIER_REQUIRED",
  ],
  [
    "two primary identifiers",
    { external_id: "a", braze_id: "b" },
    "You must specify only one of 'external_id', 'user_alias' or 'braze_id'",
    "STANDIN_ONE_PRIMARY_IDENTIFIER",
  ],
  [
    "a number as id",
    { external_id: 5 },
    "(stand-in) the identifier has the wrong type",
    "STANDIN_BAD_IDENTIFIER",
  ],
  [
    "an id of 988 bytes",
    { external_id: `${"é".repeat(493)}xx` },
    "(stand-in) 'external_id' is over 987 bytes",
    "EXTERNAL_USER_ID_TOO_LARGE",
  ],
  [
    "a blocked id",
    { external_id: "dummy" },
    "provided external_id is blacklisted and disallowed",
    "BLACKLISTED_EXTERNAL_USER_ID",
  ],
  [
    "a bad e-mail address",
    { external_id: "a", email: "nobody" },
    "The value provided for the 'email' field is not a valid email.",
    "EMAIL_BAD_FORMAT",
  ],
  [
    "a bad e-mail state",
    { external_id: "a", email_subscribe: true },
    "'email_subscribe' must be 'subscribed', 'unsubscribed', or 'opted_in'",
    "BAD_EMAIL_SUBSCRIPTION_STATE",
  ],
  [
    "a bad push state",
    { external_id: "a", push_subscribe: "yes" },
    "'push_subscribe' must be 'subscribed', 'unsubscribed', or 'opted_in'",
    "BAD_PUSH_SUBSCRIPTION_STATE",
  ],
  [
    "groups that are no array",
    { external_id: "a", subscription_groups: {} },
    "(stand-in) 'subscription_groups' must be an array",
    "BAD_SUBSCRIPTION_GROUP_ARRAY",
  ],
  [
    "a group that is no object",
    { external_id: "a", subscription_groups: ["x"] },
    "(stand-in) each of 'subscription_groups' must be an object",
    "BAD_SUBSCRIPTION_GROUP_HASH",
  ],
  [
    "a group id that is no UUID",
    {
      external_id: "a",
      subscription_groups: [{ subscription_group_id: "x", subscription_state: "subscribed" }],
    },
    "(stand-in) 'subscription_group_id' is not the id of a group",
    "BAD_SUBSCRIPTION_GROUP_ID",
  ],
  [
    "a bad group state",
    {
      external_id: "a",
      subscription_groups: [{ subscription_group_id: GROUP, subscription_state: "Subscribed" }],
    },
    "(stand-in) 'subscription_state' must be 'subscribed' or 'unsubscribed'",
    "BAD_SUBSCRIPTION_GROUP_STATE",
  ],
  [
    "email_subscription_info",
    { external_id: "a", email_subscription_info: "x" },
    "(stand-in) 'email_subscription_info' is not a valid attribute",
    "INVALID_ATTRIBUTE_EMAIL_SUBSCRIPTION_INFO",
  ],
  [
    "a token import with an id",
    { external_id: "a", push_token_import: true },
    "(stand-in) 'push_token_import' forbids 'external_id' and 'braze_id'",
    "BAD_PUSH_TOKEN_IMPORT",
  ],
];

describe("validation of one object", () => {
  test.each(invalid)(
    "%s is refused by its sentence, or by its name where so set",
    async (_, object, sentence, name) => {
      const key = await braze.workspace({ blockedIds: ["dummy"] });
      const reply = await braze.track(key, [{ external_id: "fine", vip: true }, object]);
      expect(reply.status).toBe(201);
      expect(reply.json["errors"]).toEqual([{ index: 1, input_array: "attributes", type: sentence }]);
      await braze.control.putWorkspace({ key, errorStyle: "names" });
      expect((await braze.track(key, [object])).json["errors"]).toEqual([
        { index: 0, input_array: "attributes", type: name },
      ]);
      expect(await braze.attributesOf(key, "a")).toBeUndefined();
    },
  );

  test("of several faults in one object the earlier check speaks", async () => {
    const key = await braze.workspace({ blockedIds: ["dummy"], errorStyle: "names" });
    const reply = await braze.track(key, [
      { external_id: "dummy", email: "nobody", email_subscribe: 1 },
      { external_id: "a", email: "nobody", email_subscribe: 1 },
      { external_id: "a", email_subscribe: 1, subscription_groups: 1, email_subscription_info: 1 },
      { external_id: "a", subscription_groups: 1, email_subscription_info: 1 },
    ]);
    expect((reply.json["errors"] as { type: string }[]).map((error) => error.type)).toEqual([
      "BLACKLISTED_EXTERNAL_USER_ID",
      "EMAIL_BAD_FORMAT",
      "BAD_EMAIL_SUBSCRIPTION_STATE",
      "BAD_SUBSCRIPTION_GROUP_ARRAY",
    ]);
  });

  test("an id of exactly 987 bytes passes, and a token import needs no identifier", async () => {
    const key = await braze.workspace();
    const id = `${"é".repeat(493)}x`;
    const reply = await braze.track(key, [
      { external_id: id, vip: true },
      { push_token_import: true, push_tokens: [] },
    ]);
    expect(reply.text).toBe('{"attributes_processed":2,"message":"success"}');
    expect(await braze.attributesOf(key, id)).toEqual({ vip: true });
  });

  test("only listed groups are known where a list is given", async () => {
    const key = await braze.workspace({ subscriptionGroups: ["group-a"] });
    const group = (id: string) => [{ subscription_group_id: id, subscription_state: "subscribed" }];
    expect(
      (await braze.track(key, [{ external_id: "a", subscription_groups: group("group-a") }])).status,
    ).toBe(201);
    expect((await braze.track(key, [{ external_id: "a", subscription_groups: group(GROUP) }])).status).toBe(
      400,
    );
  });

  test("an unblocked id passes again", async () => {
    const key = await braze.workspace({ blockedIds: ["dummy", "other"] });
    await braze.control.putWorkspace({ key, unblock: ["dummy"] });
    expect((await braze.track(key, [{ external_id: "dummy", vip: true }])).status).toBe(201);
    expect((await braze.track(key, [{ external_id: "other", vip: true }])).status).toBe(400);
  });
});

describe("the answer", () => {
  test("a partial success is a 201 whose keys come as measured: counters, errors, message", async () => {
    const key = await braze.workspace();
    const reply = await braze.track(key, [
      { external_id: "a", vip: true },
      { vip: true },
      { external_id: "b", vip: true },
    ]);
    expect(reply.status).toBe(201);
    expect(reply.text).toBe(
      '{"attributes_processed":2,"errors":[{"index":1,"input_array":"attributes","type":' +
        "\"'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required\"}],\"message\":\"success\"}",
    );
  });

  test("a refused object leaves no trace: no profile, no attribute, no group", async () => {
    const key = await braze.workspace();
    const subscription_groups = [{ subscription_group_id: GROUP, subscription_state: "subscribed" }];
    await braze.track(key, [{ external_id: "known", vip: false }]);
    await braze.track(key, [
      { external_id: "fine", vip: true },
      { external_id: "known", vip: true, email: "nobody", subscription_groups },
      { external_id: "new", vip: true, email: "nobody" },
    ]);
    expect(await braze.attributesOf(key, "fine")).toEqual({ vip: true });
    expect(await braze.attributesOf(key, "known")).toEqual({ vip: false });
    expect(await braze.attributesOf(key, "new")).toBeUndefined();
    const status = await braze.get(
      key,
      `/subscription/status/get?subscription_group_id=${GROUP}&external_id=known`,
    );
    expect(status.json["status"]).toEqual({ known: "Unknown" });
  });

  test("without one valid object it is a 400 with the literal message and the errors", async () => {
    const key = await braze.workspace();
    const reply = await braze.track(key, [{ vip: true }]);
    expect(reply.status).toBe(400);
    expect(reply.json["message"]).toBe(NOTHING_VALID);
    expect(reply.json["errors"]).toHaveLength(1);
    expect(await braze.post(key, "/users/track", {})).toMatchObject({
      status: 400,
      json: { message: NOTHING_VALID },
    });
  });

  test("errors may be plain strings where so set", async () => {
    const key = await braze.workspace({ errorStyle: "strings", blockedIds: ["dummy"] });
    const reply = await braze.track(key, [{ external_id: "a", vip: true }, { external_id: "dummy" }]);
    expect(reply.json["errors"]).toEqual(["provided external_id is blacklisted and disallowed"]);
  });

  test("an error's index counts within its own array", async () => {
    const key = await braze.workspace();
    const purchases = [
      { external_id: "a", quantity: 1 },
      { external_id: "a", quantity: 0 },
    ];
    const reply = await braze.post(key, "/users/track", {
      attributes: [{ external_id: "a", vip: true }],
      purchases,
    });
    expect(reply.json).toEqual({
      attributes_processed: 1,
      purchases_processed: 1,
      errors: [{ index: 1, input_array: "purchases", type: "'quantity' is not valid" }],
      message: "success",
    });
  });
});
