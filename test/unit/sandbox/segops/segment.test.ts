import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { API_KEY, ODD_IDS, sortedByUtf8, startReceiver, useSegops, waitFor } from "./segops-fixture.ts";

const segops = useSegops();

describe("credentials", () => {
  test("a request without the tenant's key is refused with 401 and a detail", async () => {
    for (const credentials of [undefined, "ApiKey sk_other", "Bearer sk_test_acme"]) {
      const headers = new Headers(credentials === undefined ? {} : { authorization: credentials });
      const response = await segops().fetch("/api/segments/7/", { headers });
      expect(response.status).toBe(401);
      expect(await response.json()).toEqual({ detail: expect.any(String) });
    }
    expect((await segops().control.stats()).requests).toEqual({ unauthorized: 3 });
  });

  test("another tenant's segment and exports do not exist for this one", async () => {
    const { control } = segops();
    const { id } = await segops().finishedExport("csv");
    await control.putTenant("rival", { api_key: "sk_rival" });
    const headers = { authorization: "ApiKey sk_rival" };
    for (const path of ["7/", "7/members/", `7/export/?export_id=${id}`, `exports/${id}/download/`]) {
      expect((await segops().fetch(`/api/segments/${path}`, { headers })).status).toBe(404);
      expect((await segops().fetch(`/api/segments/${path}`)).status).toBeLessThan(400);
    }
  });

  test("a tenant with a segment of the same number reaches nothing of the other's", async () => {
    const { control } = segops();
    const { id } = await segops().finishedExport("csv");
    await control.putTenant("rival", { api_key: "sk_rival" });
    await control.putSegment("rival", 7, { name: "Theirs" });
    const headers = { authorization: "ApiKey sk_rival" };
    expect(await segops().json("/api/segments/7/", { headers })).toMatchObject({ name: "Theirs", tenant: 2 });
    for (const path of [`7/export/?export_id=${id}`, `exports/${id}/download/`]) {
      expect((await segops().fetch(`/api/segments/${path}`, { headers })).status).toBe(404);
    }
  });

  test("a replaced key is void at once", async () => {
    await segops().control.putTenant("acme", { api_key: "sk_new" });
    expect((await segops().fetch("/api/segments/7/")).status).toBe(401);
    const headers = { authorization: "ApiKey sk_new" };
    expect((await segops().fetch("/api/segments/7/", { headers })).status).toBe(200);
  });
});

describe("a segment", () => {
  test("is a draft without members until its first recompute", async () => {
    await segops().control.putSegment("acme", 7, { members: ["a", "b"] });
    expect(await segops().json("/api/segments/7/")).toEqual({
      id: 7,
      name: "High LTV Buyers",
      description: "",
      tenant: 1,
      segment_type: "rule",
      definition: { logic: "AND", conditions: [] },
      member_count: 0,
      last_computed_at: null,
      state: "draft",
    });
    await segops().control.recompute("acme", 7);
    expect(await segops().segment()).toMatchObject({ member_count: 2, state: "computed" });
  });

  test("changes only by a recompute, whose times strictly increase", async () => {
    const { control } = segops();
    await control.putSegment("acme", 7, { generate: { count: 3, prefix: "u" } });
    const times = [];
    for (let round = 0; round < 50; round++) {
      const { computed_at } = await control.recompute("acme", 7);
      expect(computed_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      times.push(computed_at);
    }
    expect(new Set(times).size).toBe(50);
    expect(times).toEqual([...times].sort());
    await control.change("acme", 7, { enter: ["new"] });
    expect(await segops().segment()).toMatchObject({ member_count: 3, last_computed_at: times.at(-1) });
  });

  test("written in whole seconds, its times still strictly increase", async () => {
    const { control } = segops();
    await control.putSegment("acme", 7, { options: { precision: "seconds" } });
    const first = await control.recompute("acme", 7);
    const second = await control.recompute("acme", 7);
    expect(first.computed_at).toMatch(/:\d\dZ$/);
    expect(Date.parse(second.computed_at)).toBeGreaterThan(Date.parse(first.computed_at));
  });

  test("takes a named time as written, and goes on from there", async () => {
    const { control } = segops();
    const computed_at = "2999-01-02T03:04:05.999999Z";
    expect(await control.recompute("acme", 7, { computed_at })).toMatchObject({ computed_at });
    expect(await control.recompute("acme", 7)).toMatchObject({ computed_at: "2999-01-02T03:04:06.000000Z" });
    const older = "2020-01-01T00:00:00+02:00";
    await control.recompute("acme", 7, { computed_at: older });
    expect(await segops().segment()).toMatchObject({ last_computed_at: older });
  });

  test("lets people exit before others enter", async () => {
    const { control } = segops();
    await control.putSegment("acme", 7, { members: ["a", "b", "c", "d"] });
    await control.change("acme", 7, {
      exitFirst: 1,
      exit: ["c"],
      enter: ["a"],
      enterGenerate: { count: 2, prefix: "g", from: 5 },
    });
    const { member_count } = await control.recompute("acme", 7);
    expect(member_count).toBe(5);
    expect(await control.members("acme", 7)).toEqual(["a", "b", "d", "g5", "g6"]);
  });

  test("computes when its API is asked to, once though asked twice", async () => {
    const receiver = await startReceiver();
    await segops().control.putTenant("acme", { api_key: API_KEY, webhook: { url: receiver.url } });
    await segops().control.putSegment("acme", 7, { members: ["a"], options: { computeDelayMs: 50 } });
    for (let asked = 0; asked < 2; asked++) {
      const answer = await segops().json("/api/segments/7/compute/", { method: "POST" });
      expect(answer).toEqual({ status: "queued" });
    }
    expect(await segops().segment()).toMatchObject({ state: "computing", member_count: 0 });
    const computed = await waitFor(async () => {
      const segment = await segops().segment();
      return segment.state === "computed" ? segment : undefined;
    });
    expect(computed.member_count).toBe(1);
    // A second recompute would be due by now, and would be told.
    await delay(60);
    expect(receiver.deliveries).toHaveLength(1);
    receiver.close();
  });

  test("is gone once deleted", async () => {
    await segops().control.deleteSegment("acme", 7);
    expect((await segops().fetch("/api/segments/7/")).status).toBe(404);
    expect((await segops().fetch("/api/segments/7/members/")).status).toBe(404);
  });
});

describe("the control API", () => {
  test("lists the published members distinct and in the order of their UTF-8 bytes", async () => {
    const { control } = segops();
    await control.putSegment("acme", 7, { members: [...ODD_IDS, ...ODD_IDS, ""].toReversed() });
    await control.recompute("acme", 7);
    const members = await control.members("acme", 7);
    expect(members).toEqual(sortedByUtf8([...ODD_IDS, ""]));
    expect(members).not.toEqual([...members].sort());
  });

  test("refuses what it does not know, by name", async () => {
    const { control } = segops();
    // @ts-expect-error an option that does not exist
    await expect(control.putSegment("acme", 7, { options: { pagging: "page" } })).rejects.toThrow(
      /400.*pagging/s,
    );
    await expect(control.recompute("acme", 7, { computed_at: "yesterday" })).rejects.toThrow(
      /400.*ISO 8601/s,
    );
    await expect(control.members("nobody", 7)).rejects.toThrow(/404/);
  });
});
