import { describe, expect, test } from "vitest";
import { createSegops } from "../../../src/segops/client.ts";
import { apiKey, noSignal, quickClock, segment7, segopsAt, serve, status } from "./local-segops.ts";

const computed = { id: 7, name: "High LTV", member_count: 3482, last_computed_at: "2026-05-02T14:32:00Z" };

describe("a segment", () => {
  test("is asked for with the tenant's key and read with its name, count and time", async () => {
    const { url, seen } = await serve(() => computed);
    expect(await segopsAt(url).segment(segment7, noSignal)).toEqual({
      name: "High LTV",
      memberCount: 3482,
      computedAt: "2026-05-02T14:32:00Z",
    });
    expect(seen).toMatchObject([
      { method: "GET", url: "/api/segments/7/", authorization: `ApiKey ${apiKey}` },
    ]);
  });

  test.each([
    ["a draft", { last_computed_at: null, member_count: 0 }, { computedAt: null, memberCount: 0 }],
    ["no member_count", { member_count: undefined }, { memberCount: null }],
    ["a member_count of null", { member_count: null }, { memberCount: null }],
    ["a member_count that is no whole number", { member_count: "many" }, { memberCount: null }],
    ["no name", { name: undefined }, { name: "" }],
    [
      "computed_at in place of last_computed_at",
      { last_computed_at: undefined, computed_at: "2026-05-02T14:32:00.123456+02:00" },
      { computedAt: "2026-05-02T14:32:00.123456+02:00" },
    ],
    [
      "a time without zone, with a blank",
      { last_computed_at: "2026-05-02 14:32:00.5" },
      { computedAt: "2026-05-02T14:32:00.5Z" },
    ],
  ])("with %s is still read", async (_, given, expected) => {
    const { url } = await serve(() => ({ ...computed, ...given }));
    expect(await segopsAt(url).segment(segment7, noSignal)).toMatchObject(expected);
  });

  test.each([
    ["a time that is none", { ...computed, last_computed_at: "yesterday" }, "ISO 8601"],
    ["an object of another kind", { detail: "hello" }, "no segment"],
    ["a list", [computed], "no segment"],
  ])("is not read out of %s", async (_, body, words) => {
    const { url } = await serve(() => body);
    await expect(segopsAt(url).segment(segment7, noSignal)).rejects.toMatchObject({
      code: "segops_unavailable",
      message: expect.stringContaining(words),
    });
  });
});

describe("a refusal", () => {
  test.each([
    [401, "segops_key_rejected"],
    [403, "segops_key_rejected"],
    [404, "segment_not_found"],
    [400, "segops_unavailable"],
    [301, "segops_unavailable"],
  ])("HTTP %i is %s, at once, and its message names call and status alone", async (code, expected) => {
    const { url, seen } = await serve((_, response) => status(response, code, { location: "/elsewhere/" }));
    const error = await segopsAt(url)
      .segment(segment7, noSignal)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: expected, detail: `GET /segments/7/: HTTP ${code}` });
    expect(JSON.stringify(error) + String(error)).not.toContain(apiKey);
    expect(seen).toHaveLength(1);
  });

  test.each([
    ["none", undefined],
    ["an empty one", ""],
    ["one with a line break", `${apiKey}\n`],
  ])("without a usable key (%s) nothing is sent and segops_key_missing names the tenant", async (_, key) => {
    const { url, seen } = await serve(() => computed);
    const segops = createSegops({ baseUrl: `${url}/api`, keyFor: () => key });
    const error = await segops.segment(segment7, noSignal).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "segops_key_missing", detail: expect.stringContaining("acme") });
    expect(String(error)).not.toContain(apiKey);
    expect(seen).toHaveLength(0);
  });
});

describe("trouble that passes", () => {
  test.each<[string, Parameters<typeof serve>[0]]>([
    ["a 500", (_, response) => status(response, 500)],
    ["a 429", (_, response) => status(response, 429)],
    ["a reset", (_, response) => void response.socket?.resetAndDestroy()],
    ["an empty answer", (_, response) => void response.end()],
    ["an HTML page", (_, response) => void response.end("<html>")],
    [
      "an answer cut short",
      (_, response) => void response.writeHead(200, { "content-length": 99 }).write("{"),
    ],
    [
      "an answer that is not UTF-8",
      (_, response) => void response.end(Buffer.from('{"name":"\xff"}', "latin1")),
    ],
  ])("%s is tried again", async (_, trouble) => {
    const clock = quickClock();
    const { url } = await serve((request, response, nth) =>
      nth === 1 ? trouble(request, response, nth) : computed,
    );
    expect(await segopsAt(url, clock).segment(segment7, noSignal)).toMatchObject({ memberCount: 3482 });
    expect(clock.pausesMs).toHaveLength(1);
  });

  test("pauses double from about one second to thirty", async () => {
    const clock = quickClock();
    const { url } = await serve((_, response, nth) => (nth <= 8 ? status(response, 503) : computed));
    await segopsAt(url, clock).segment(segment7, noSignal);
    for (const [index, fullMs] of [1e3, 2e3, 4e3, 8e3, 16e3, 30e3, 30e3, 30e3].entries()) {
      expect(clock.pausesMs[index]).toBeGreaterThanOrEqual(fullMs / 2);
      expect(clock.pausesMs[index]).toBeLessThanOrEqual(fullMs);
    }
  });

  test.each([
    ["seconds", "120", 120_000],
    ["an HTTP date", new Date(Date.now() + 120_000).toUTCString(), 110_000],
  ])("Retry-After in %s is waited for", async (_, header, atLeastMs) => {
    const clock = quickClock();
    const { url } = await serve((_, response, nth) =>
      nth === 1 ? status(response, 429, { "retry-after": header }) : computed,
    );
    await segopsAt(url, clock).segment(segment7, noSignal);
    expect(clock.pausesMs[0]).toBeGreaterThanOrEqual(atLeastMs);
    expect(clock.pausesMs[0]).toBeLessThanOrEqual(120_000);
  });

  test("a Retry-After of 0 does not make a tight loop", async () => {
    const clock = quickClock();
    const { url } = await serve((_, response, nth) =>
      nth === 1 ? status(response, 429, { "retry-after": "0" }) : computed,
    );
    await segopsAt(url, clock).segment(segment7, noSignal);
    expect(clock.pausesMs[0]).toBeGreaterThanOrEqual(500);
  });

  test("that does not pass in five minutes is segops_unavailable, with what was seen last", async () => {
    const clock = quickClock();
    const { url } = await serve((_, response) => status(response, 503));
    await expect(segopsAt(url, clock).segment(segment7, noSignal)).rejects.toMatchObject({
      code: "segops_unavailable",
      detail: "GET /segments/7/: HTTP 503",
    });
    const waitedMs = clock.pausesMs.reduce((sum, ms) => sum + ms, 0);
    expect(waitedMs).toBeGreaterThan(270_000);
    expect(waitedMs).toBeLessThanOrEqual(300_000);
  });

  test("a Retry-After beyond the five minutes is not waited for, but handed on", async () => {
    const { url, seen } = await serve((_, response) => status(response, 429, { "retry-after": "3600" }));
    await expect(segopsAt(url).segment(segment7, noSignal)).rejects.toMatchObject({
      code: "segops_unavailable",
      retryAfterMs: 3_600_000,
    });
    expect(seen).toHaveLength(1);
  });

  test("a host where nothing listens is segops_unavailable with the network's code", async () => {
    await expect(segopsAt("http://127.0.0.1:1").segment(segment7, noSignal)).rejects.toMatchObject({
      code: "segops_unavailable",
      detail: "GET /segments/7/: ECONNREFUSED",
    });
  });

  test("an aborted signal ends the wait for an answer with its own reason", async () => {
    const stop = new AbortController();
    const { url } = await serve(() => stop.abort(new Error("the run was cancelled")));
    await expect(segopsAt(url).segment(segment7, stop.signal)).rejects.toThrow("the run was cancelled");
  });

  test("an aborted signal ends a pause with its own reason", async () => {
    const stop = new AbortController();
    const { url } = await serve((_, response) => {
      status(response, 503, { "retry-after": "200" });
      setTimeout(() => stop.abort(new Error("the run was cancelled")), 50);
    });
    const segops = createSegops({ baseUrl: `${url}/api`, keyFor: () => apiKey });
    await expect(segops.segment(segment7, stop.signal)).rejects.toThrow("the run was cancelled");
  });
});
