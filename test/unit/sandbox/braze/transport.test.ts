import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { Harness } from "./harness.ts";

const braze = new Harness();
const one = { attributes: [{ external_id: "u1", vip: true }] };

describe("transport and keys", () => {
  test("an unknown path answers 404 in JSON, and so does a wrong method", async () => {
    const key = await braze.workspace();
    expect(await braze.post(key, "/users/track/", one)).toMatchObject({
      status: 404,
      text: '{"message":"Not Found"}',
    });
    expect(await braze.get(key, "/users/track")).toMatchObject({ status: 404 });
  });

  test("an unknown key answers 401 and echoes the key that was presented", async () => {
    const reply = await braze.post("not-a-key", "/users/track", one);
    expect(reply).toMatchObject({ status: 401, text: '{"message":"Invalid API key: not-a-key"}' });
  });

  test("a key in quotes, a missing key and a revoked key answer 401", async () => {
    const key = await braze.workspace();
    expect((await braze.post(`"${key}"`, "/users/track", one)).status).toBe(401);
    expect((await braze.post(key, "/users/track", one, { authorization: "" })).status).toBe(401);
    await braze.control.putWorkspace({ key, revoked: true });
    expect((await braze.post(key, "/users/track", one)).status).toBe(401);
    await braze.control.putWorkspace({ key, revoked: false });
    expect((await braze.post(key, "/users/track", one)).status).toBe(201);
  });

  test("a rotated key opens the same workspace", async () => {
    const key = await braze.workspace();
    await braze.track(key, [{ external_id: "u1", vip: true }]);
    await braze.control.putWorkspace({ key: `${key}-new`, sharesWorkspaceOf: key });
    expect(await braze.attributesOf(`${key}-new`, "u1")).toEqual({ vip: true });
  });

  test("a key without the permission answers 403 Access Denied", async () => {
    const key = await braze.workspace({ permissions: ["users.track"] });
    expect((await braze.post(key, "/users/track", one)).status).toBe(201);
    const reply = await braze.post(key, "/users/export/ids", { external_ids: ["u1"] });
    expect(reply).toMatchObject({ status: 403, text: '{"message":"Access Denied"}' });
  });

  test("bulk and sync answer 403 until their permission is named", async () => {
    const key = await braze.workspace();
    expect((await braze.post(key, "/users/track/bulk", one)).status).toBe(403);
    expect((await braze.post(key, "/users/track/sync", one)).status).toBe(403);
    await braze.control.putWorkspace({ key, permissions: ["users.track.bulk", "users.track.sync"] });
    const many = Array.from({ length: 1_000 }, (_, n) => ({ external_id: `b${n}`, vip: true }));
    expect(
      (await braze.post(key, "/users/track/bulk", { attributes: many })).json["attributes_processed"],
    ).toBe(1_000);
    const sync = await braze.post(key, "/users/track/sync", one);
    expect(sync.json).toEqual({
      users: [{ external_id: "u1", custom_attributes: { vip: true } }],
      message: "success",
    });
  });

  test("the word Bearer may be written in any case", async () => {
    const key = await braze.workspace();
    for (const scheme of ["bearer", "BEARER", "Bearer"]) {
      expect((await braze.post(key, "/users/track", one, { authorization: `${scheme} ${key}` })).status).toBe(
        201,
      );
    }
  });

  test("another content type, broken JSON and a body that is no object answer 400 Bad Request", async () => {
    const key = await braze.workspace();
    const bad = { status: 400, text: '{"message":"Bad Request"}' };
    expect(await braze.post(key, "/users/track", one, { "content-type": "text/plain" })).toMatchObject(bad);
    expect(await braze.post(key, "/users/track", '{"attributes":[')).toMatchObject(bad);
    expect(await braze.post(key, "/users/track", [1])).toMatchObject(bad);
    expect(
      await braze.post(key, "/users/track", one, { "content-type": "application/json; charset=utf-8" }),
    ).toMatchObject({ status: 201 });
  });

  test("a body over 4 MB answers 413 in HTML, or 400 in JSON where so set; nothing is applied", async () => {
    const key = await braze.workspace();
    const large = { attributes: [{ external_id: "large", pad: "x".repeat(4 * 1024 * 1024) }] };
    const reply = await braze.post(key, "/users/track", large);
    expect(reply.status).toBe(413);
    expect(reply.headers.get("content-type")).toBe("text/html");
    await braze.control.putWorkspace({ key, oversizeAnswer: "json400" });
    expect(await braze.post(key, "/users/track", large)).toMatchObject({
      status: 400,
      json: { message: "Bad Request" },
    });
    expect(await braze.attributesOf(key, "large")).toBeUndefined();
  });

  test("a bulk body over 2 MB answers 400", async () => {
    const key = await braze.workspace({ permissions: ["users.track.bulk"] });
    const large = { attributes: [{ external_id: "large", pad: "x".repeat(2 * 1024 * 1024) }] };
    expect((await braze.post(key, "/users/track/bulk", large)).status).toBe(400);
  });

  test("every response header comes in lower case", async () => {
    const key = await braze.workspace({ perHour: 100 });
    const names = await rawHeaderNames(`${braze.url}/users/track`, key, JSON.stringify(one));
    expect(names).toContain("x-ratelimit-limit");
    expect(names).toEqual(names.map((name) => name.toLowerCase()));
  });
});

async function rawHeaderNames(url: string, key: string, body: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const req = request(url, { method: "POST", headers }, (res) => {
      res.resume();
      resolve(res.rawHeaders.filter((_, position) => position % 2 === 0));
    });
    req.on("error", reject);
    req.end(body);
  });
}
