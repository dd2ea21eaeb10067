import { describe, expect, test } from "vitest";
import { Harness } from "./harness.ts";

const braze = new Harness();

describe("users/export/ids", () => {
  test("it answers the fields asked for, leaves out empty ones and lists unknown ids", async () => {
    const key = await braze.workspace();
    await braze.track(key, [{ external_id: "a", vip: true, first_name: "Ada" }, { external_id: "b" }]);
    const reply = await braze.post(key, "/users/export/ids", {
      external_ids: ["a", "b", "nobody"],
      fields_to_export: ["external_id", "custom_attributes", "first_name"],
    });
    expect(reply.json).toEqual({
      message: "success",
      users: [
        { external_id: "a", custom_attributes: { vip: true }, first_name: "Ada" },
        { external_id: "b" },
      ],
      invalid_user_ids: ["nobody"],
    });
  });

  test("50 ids pass, 51 answer 400 with Braze's sentence; aliases count", async () => {
    const key = await braze.workspace();
    const external_ids = Array.from({ length: 50 }, (_, n) => `u${n}`);
    const fields = { fields_to_export: ["external_id"] };
    expect((await braze.post(key, "/users/export/ids", { external_ids, ...fields })).status).toBe(201);
    const user_aliases = [{ alias_name: "a", alias_label: "b" }];
    expect(
      await braze.post(key, "/users/export/ids", { external_ids, user_aliases, ...fields }),
    ).toMatchObject({
      status: 400,
      json: { message: "The max number of ids per request was exceeded" },
    });
  });

  test("fields_to_export is required, except from customers of before", async () => {
    const key = await braze.workspace();
    await braze.track(key, [{ external_id: "a", vip: true }]);
    expect((await braze.post(key, "/users/export/ids", { external_ids: ["a"] })).status).toBe(400);
    await braze.control.putWorkspace({ key, requireFieldsToExport: false });
    const reply = await braze.post(key, "/users/export/ids", { external_ids: ["a"] });
    expect(reply.json["users"]).toMatchObject([{ external_id: "a", custom_attributes: { vip: true } }]);
  });

  test("attributes with odd names come back as they were sent", async () => {
    const key = await braze.workspace();
    await braze.post(
      key,
      "/users/track",
      '{"attributes":[{"external_id":"a","__proto__":true,"constructor":false}]}',
    );
    const reply = await braze.post(key, "/users/export/ids", {
      external_ids: ["a"],
      fields_to_export: ["custom_attributes"],
    });
    expect(reply.text).toContain('"custom_attributes":{"__proto__":true,"constructor":false}');
  });
});
