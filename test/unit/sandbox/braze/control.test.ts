import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { collect, GROUP, Harness } from "./harness.ts";

const braze = new Harness();

describe("members", () => {
  test("holders of an attribute's value come in byte order, whatever their ids look like", async () => {
    const key = await braze.workspace();
    const ids = [
      "b",
      "a",
      "Z",
      "é",
      "\u{1f600}",
      "\uff5e",
      'quo"te',
      "line\u2028end",
      "with space",
      "new\nline",
    ];
    await braze.track(
      key,
      ids.map((external_id) => ({ external_id, vip: true })),
    );
    await braze.track(key, [
      { external_id: "out", vip: false, tier: "gold" },
      { user_alias: { alias_name: "n", alias_label: "l" }, vip: true, _update_existing_only: false },
    ]);
    const inByteOrder = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(await collect(braze.control.members(key, { attribute: "vip" }))).toEqual(inByteOrder);
    expect(await collect(braze.control.members(key, { attribute: "vip", value: false }))).toEqual(["out"]);
    expect(await collect(braze.control.members(key, { attribute: "tier", value: "gold" }))).toEqual(["out"]);
    expect(await collect(braze.control.members(key, { attribute: "never" }))).toEqual([]);
  });

  test("members of a group come by state, and only once applied", async () => {
    const key = await braze.workspace();
    await braze.track(key, [{ external_id: "a" }, { external_id: "b" }]);
    await braze.control.putWorkspace({ key, applyDelayMs: 300_000 });
    for (const [id, subscription_state] of [
      ["a", "subscribed"],
      ["b", "unsubscribed"],
    ]) {
      const body = { subscription_group_id: GROUP, subscription_state, external_id: [id] };
      await braze.post(key, "/subscription/status/set", body);
    }
    const subscribed = async () => collect(braze.control.members(key, { subscriptionGroupId: GROUP }));
    expect(await subscribed()).toEqual([]);
    await braze.control.putWorkspace({ key, applyDelayMs: 0 });
    expect(await subscribed()).toEqual(["a"]);
    const out = braze.control.members(key, { subscriptionGroupId: GROUP, state: "unsubscribed" });
    expect(await collect(out)).toEqual(["b"]);
  });
});

describe("what was received", () => {
  test("the statistics count requests, objects, people and re-sent bodies as the server saw them", async () => {
    const key = await braze.workspace({ blockedIds: ["dummy"], permissions: ["users.track"] });
    for (const vip of [true, true, false])
      await braze.track(key, [{ external_id: "u", vip }, { external_id: "dummy" }]);
    await braze.track(key, [{ external_id: "dummy" }]);
    await braze.get(key, "/custom_attributes");
    await braze.get(key, "/nowhere");
    expect(await braze.control.stats(key)).toEqual({
      requests: { "/users/track": { 201: 3, 400: 1 }, "/custom_attributes": { 403: 1 }, unknown: { 404: 1 } },
      objectsAccepted: 3,
      objectsRejected: 4,
      dataPoints: 3,
      pending: 0,
      users: 1,
      maxConcurrent: 1,
      duplicates: 1,
      writesRecorded: 0,
      writesDropped: 0,
      bodiesRecorded: 0,
    });
  });

  test("requests that are under way together are counted together", async () => {
    const key = await braze.workspace({ answerDelayMs: 100 });
    await Promise.all([1, 2, 3].map(async (n) => braze.track(key, [{ external_id: `u${n}`, vip: true }])));
    expect((await braze.control.stats(key)).maxConcurrent).toBe(3);
  });

  test("the write record holds every accepted write in order, and when it became visible", async () => {
    const key = await braze.workspace({ recordWrites: true, applyDelayMs: 300_000 });
    const startedAt = Date.now();
    await braze.track(key, [{ external_id: "a", vip: true, tier: null }, { vip: true }]);
    const group = {
      subscription_group_id: GROUP,
      subscription_state: "subscribed",
      external_ids: ["a", "b"],
    };
    await braze.post(key, "/v2/subscription/status/set", { subscription_groups: [group] });
    const name = `subscription_group:${GROUP}`;
    const writes = await collect(braze.control.writes(key));
    expect(writes).toMatchObject([
      { seq: 0, user: "a", attribute: "vip", value: true, requestId: 1, appliedAt: null },
      { seq: 1, user: "a", attribute: "tier", value: null, requestId: 1, appliedAt: null },
      { seq: 2, user: "a", attribute: name, value: "subscribed", requestId: 2, appliedAt: null },
      { seq: 3, user: "b", attribute: name, value: "subscribed", requestId: 2, appliedAt: null },
    ]);
    expect(writes[0]?.at).toBeGreaterThanOrEqual(startedAt);
    await braze.control.putWorkspace({ key, applyDelayMs: 0 });
    const ofB = await collect(braze.control.writes(key, "b"));
    expect(ofB.map((write) => write.seq)).toEqual([3]);
    expect(ofB[0]?.appliedAt).toBeGreaterThanOrEqual(ofB[0]?.at ?? Infinity);
  });

  test("accepted bodies are known by digest alone", async () => {
    const key = await braze.workspace({ recordBodies: true });
    const body = JSON.stringify({ attributes: [{ external_id: "u", vip: true }] });
    await braze.post(key, "/users/track", body);
    await braze.post(key, "/users/track", { attributes: [{ vip: true }] });
    const bodies = await collect(braze.control.requestBodies(key));
    expect(bodies).toMatchObject([
      { seq: 0, objects: 1, sha256: createHash("sha256").update(body).digest("hex") },
    ]);
    expect(bodies).toHaveLength(1);
  });
});

describe("steering", () => {
  test("a patch changes what it names and leaves the rest", async () => {
    const key = await braze.workspace({ blockedIds: ["dummy"], burstPer3s: 1, headerMode: "off" });
    await braze.control.putWorkspace({ key, burstPer3s: null });
    for (let n = 0; n < 3; n++) {
      expect((await braze.track(key, [{ external_id: "u", n }])).status).toBe(201);
    }
    expect((await braze.track(key, [{ external_id: "dummy" }])).status).toBe(400);
  });

  test("a reset forgets people and history but keeps the settings", async () => {
    const key = await braze.workspace({ blockedIds: ["dummy"], applyDelayMs: 300_000 });
    await braze.track(key, [{ external_id: "u", vip: true }]);
    await braze.control.reset(key);
    expect(await braze.control.stats(key)).toMatchObject({ users: 0, pending: 0, requests: {} });
    expect((await braze.track(key, [{ external_id: "dummy" }])).status).toBe(400);
  });

  test("a misspelt setting, an unknown key and an unknown route are refused in words", async () => {
    const patch = { key: "k", applyDelay: 5 };
    await expect(braze.control.putWorkspace(patch)).rejects.toThrow("applyDelay");
    await expect(braze.control.stats("no-such-key")).rejects.toThrow("no workspace with this key");
    await expect(braze.control.putWorkspace({ key: "k", sharesWorkspaceOf: "no-such-key" })).rejects.toThrow(
      "unknown key",
    );
    expect((await fetch(`${braze.url}/_control/nothing`)).status).toBe(404);
  });

  test("a reset without a key forgets every workspace and fault", async () => {
    const key = await braze.workspace();
    await braze.control.addFault({ kind: "500" });
    await braze.control.reset();
    expect((await braze.track(key, [{ external_id: "u" }])).status).toBe(401);
    expect(await braze.control.faults()).toEqual([]);
  });
});
