import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDeadline } from "../../../src/braze/deadline.ts";
import { readBack } from "../../../src/braze/read-back.ts";
import { createBraze } from "../../../src/braze/workspace.ts";
import type { Braze } from "../../../src/braze/workspace.ts";
import { ids } from "../../integration/test-connector.ts";
import { failureOf } from "./failure-of.ts";
import { startLocalServer } from "./local-server.ts";

const apiKey = "b5a0c1d2-key-77aa-9f3e";
const attributeName = "vip";

let braze: Braze;
beforeEach(() => {
  braze = createBraze({ deliverWorkers: 1 });
});
afterEach(() => braze.close());

type Answer = Parameters<typeof startLocalServer>[0];

/** Reads users back from a server that answers so, as a verification does. */
async function reads(answer: Answer, userIds: readonly string[], patienceMs = 60_000) {
  const server = await startLocalServer(answer);
  const workspace = braze.workspace({ endpoint: server.origin, apiKey, requestsPerSecond: 1000 });
  const deadline = createDeadline(patienceMs);
  const { signal } = new AbortController();
  const ask = async (some: readonly string[]) => {
    await workspace.acquire("export", "acme/7", signal);
    return await workspace.readUsers(some, attributeName, deadline);
  };
  try {
    const { shown, stoppedBy } = await readBack({ userIds, ask, deadline, signal });
    return { shown: Object.fromEntries(shown), stoppedBy, received: server.received };
  } finally {
    await server.close();
  }
}

/** All of them members. */
const members: Answer = ({ body }) => ({
  status: 201,
  body: { message: "success", users: askedIn(body).map(member) },
});

function askedIn(body: string): string[] {
  return (JSON.parse(body) as { external_ids: string[] }).external_ids;
}

function member(external_id: string) {
  return { external_id, custom_attributes: { vip: true } };
}

describe("what Braze shows of users", () => {
  test("is asked for by id, fifty at a time, with the fields that newer customers must name", async () => {
    const { received, shown, stoppedBy } = await reads(members, ids(51));
    expect(received.map(({ body }) => askedIn(body).length)).toEqual([50, 1]);
    expect(received[0]).toMatchObject({
      path: "/users/export/ids",
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    });
    expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({
      fields_to_export: ["external_id", "custom_attributes"],
    });
    expect(Object.values(shown)).toEqual(ids(51).map(() => "member"));
    expect(stoppedBy).toBeNull();
  });

  test("is member only where the attribute is true, and unknown only where Braze says so", async () => {
    const users = [
      member("ann"),
      { external_id: "bob", custom_attributes: { vip: false } },
      { external_id: "cid", custom_attributes: { vip: "true" } },
      { external_id: "dot", custom_attributes: null },
      { external_id: "eve" },
      member("somebody else"),
      { braze_id: "none" },
    ];
    const body = { message: "success", users, invalid_user_ids: ["fay", "somebody else again"] };
    const { shown } = await reads(
      () => ({ status: 201, body }),
      ["ann", "bob", "cid", "dot", "eve", "fay", "gus"],
    );
    // Nothing is said of gus.
    expect(shown).toEqual({
      ann: "member",
      bob: "not_member",
      cid: "not_member",
      dot: "not_member",
      eve: "not_member",
      fay: "unknown_user",
    });
  });

  test("is read byte for byte: an id is not another one of other case or composition", async () => {
    const body = { users: [member("Case"), member("cafe\u0301")], invalid_user_ids: [] };
    expect((await reads(() => ({ status: 201, body }), ["case", "caf\u00e9"])).shown).toEqual({});
  });

  test("is read from answers far larger than those to writes", async () => {
    const custom_attributes = { vip: true, story: "x".repeat(3_000_000) };
    const body = { users: [{ external_id: "ann", custom_attributes }] };
    expect((await reads(() => ({ status: 201, body }), ["ann"])).shown).toEqual({ ann: "member" });
  });
});

describe("trouble ends the reading with what is known, and a code", () => {
  test.each([
    [403, "braze_permission_missing"],
    [401, "braze_key_rejected"],
    [400, "braze_request_refused"],
    [404, "braze_endpoint_not_found"],
    [503, "braze_unavailable"],
    [302, "braze_redirected"],
  ])("HTTP %i: %s", async (status, code) => {
    const answer: Answer = (request, n, response) =>
      n === 0 ? members(request, n, response) : { status, body: { message: `no ${apiKey}` } };
    const { shown, stoppedBy, received } = await reads(answer, ids(150));
    expect(stoppedBy).toBe(code);
    expect(Object.keys(shown)).toHaveLength(50);
    expect(received).toHaveLength(2);
  });

  test.each([
    ["no JSON", "<html>"],
    ["no users", { message: "success" }],
    ["users of another shape", { users: [{ external_id: "ann", custom_attributes: [true] }] }],
  ])("an answer with %s is unreadable", async (_, body) => {
    const { shown, stoppedBy } = await reads(() => ({ status: 201, body }), ["ann"]);
    expect([shown, stoppedBy]).toEqual([{}, "braze_answer_unreadable"]);
  });

  test("a 429 is waited for as long as Braze asks, and then the same users are asked for", async () => {
    const answer: Answer = (request, n, response) =>
      n === 0 ? { status: 429, headers: { "x-ratelimit-retry-after": "1" } } : members(request, n, response);
    const { shown, stoppedBy, received } = await reads(answer, ["ann"]);
    expect([shown, stoppedBy]).toEqual([{ ann: "member" }, null]);
    expect(received.map(({ body }) => askedIn(body))).toEqual([["ann"], ["ann"]]);
    expect((received[1]?.atMs ?? 0) - (received[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test("a 429 that asks for longer than there is time ends it at once", async () => {
    const answer: Answer = () => ({ status: 429, headers: { "x-ratelimit-retry-after": "60" } });
    expect(await reads(answer, ["ann"], 20_000)).toMatchObject({
      stoppedBy: "braze_rate_limited",
      shown: {},
    });
  });

  test("nothing is asked for once its time is over", async () => {
    expect(await reads(members, ["ann"], 0)).toMatchObject({ stoppedBy: "braze_timeout", received: [] });
  });

  test("an error never holds the key or an id that Braze repeats", async () => {
    const server = await startLocalServer(({ body }) => ({
      status: 400,
      body: { message: `${apiKey} ${body}` },
    }));
    const workspace = braze.workspace({ endpoint: server.origin, apiKey, requestsPerSecond: 1000 });
    const failure = await failureOf(
      workspace.readUsers(["ann-of-arc"], attributeName, createDeadline(60_000)),
    );
    await server.close();
    expect(failure).toMatchObject({ code: "braze_request_refused" });
    expect(String(failure)).not.toMatch(/ann-of-arc|b5a0c1d2/);
  });
});
