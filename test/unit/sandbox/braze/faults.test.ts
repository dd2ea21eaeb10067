import { afterEach, describe, expect, test } from "vitest";
import type { FaultOrder } from "../../../../sandbox/braze/faults.ts";
import { Harness } from "./harness.ts";

const braze = new Harness();
const send = async (key: string) => braze.track(key, [{ external_id: "u", vip: true }]);

afterEach(async () => braze.control.clearFaults());

/** A workspace with one fault that strikes its first request to /users/track. */
async function struck(order: FaultOrder): Promise<string> {
  const key = await braze.workspace({ blockedIds: ["dummy"] });
  await braze.control.addFault({ key, path: "/users/track", times: 1, ...order });
  return key;
}

describe("ambiguous failures", () => {
  const statuses = ["429", "500", "502", "503", "504"] as const;

  test.each(statuses)("a %s before the write leaves nothing, one after it leaves the write", async (kind) => {
    const before = await struck({ kind });
    expect((await send(before)).status).toBe(Number(kind));
    expect(await braze.attributesOf(before, "u")).toBeUndefined();
    const after = await struck({ kind, applied: true });
    expect((await send(after)).status).toBe(Number(kind));
    expect(await braze.attributesOf(after, "u")).toEqual({ vip: true });
    expect((await send(after)).status).toBe(201);
  });

  test.each(["502", "503", "504"] as const)("a %s carries HTML, as from a proxy", async (kind) => {
    const reply = await send(await struck({ kind, retryAfterSeconds: 7 }));
    expect(reply.headers.get("content-type")).toBe("text/html");
    expect(reply.headers.get("retry-after")).toBe("7");
    expect(reply.text).toContain("<html>");
  });

  test("a 429 tells how long to wait", async () => {
    const reply = await send(await struck({ kind: "429", retryAfterSeconds: 2 }));
    expect(reply.headers.get("x-ratelimit-retry-after")).toBe("2");
  });

  test("a reset before the write leaves nothing, one after it leaves the write", async () => {
    const before = await struck({ kind: "reset_before" });
    await expect(send(before)).rejects.toThrow("fetch failed");
    expect(await braze.attributesOf(before, "u")).toBeUndefined();
    const after = await struck({ kind: "reset_after" });
    await expect(send(after)).rejects.toThrow("fetch failed");
    expect(await braze.attributesOf(after, "u")).toEqual({ vip: true });
  });

  test("a connection cut in the middle of a 201 leaves the write", async () => {
    const key = await struck({ kind: "reset_mid" });
    await expect(send(key)).rejects.toThrow("terminated");
    expect(await braze.attributesOf(key, "u")).toEqual({ vip: true });
    expect((await braze.control.stats(key)).requests["/users/track"]).toEqual({ none: 1 });
  });

  test("a hang answers nothing until the client gives up; the write may have happened", async () => {
    for (const applied of [false, true]) {
      const key = await struck({ kind: "hang", applied });
      const sent = fetch(`${braze.url}/users/track`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ attributes: [{ external_id: "u", vip: true }] }),
        signal: AbortSignal.timeout(150),
      });
      await expect(sent).rejects.toThrow("timeout");
      expect(await braze.attributesOf(key, "u")).toEqual(applied ? { vip: true } : undefined);
    }
  });
});

describe("spoiled successes", () => {
  test("a truncated 201 is not JSON, and the write stands", async () => {
    const key = await struck({ kind: "truncated_201" });
    const reply = await send(key);
    expect(reply.status).toBe(201);
    expect(() => JSON.parse(reply.text)).toThrow(SyntaxError);
    expect(await braze.attributesOf(key, "u")).toEqual({ vip: true });
  });

  test("a 201 may be HTML, a success may be a 202 that is queued", async () => {
    expect(await send(await struck({ kind: "html_201" }))).toMatchObject({ status: 201, json: {} });
    const queued = await struck({ kind: "queued_202" });
    expect(await send(queued)).toMatchObject({ status: 202, text: '{"message":"queued"}' });
    expect(await braze.attributesOf(queued, "u")).toEqual({ vip: true });
  });

  test("errors may be plain strings, or name an index that was never sent", async () => {
    const objects = [{ external_id: "u", vip: true }, { external_id: "dummy" }];
    const strings = await braze.track(await struck({ kind: "errors_as_strings" }), objects);
    expect(strings.json["errors"]).toEqual(["provided external_id is blacklisted and disallowed"]);
    const far = await braze.track(await struck({ kind: "index_out_of_range" }), objects);
    expect(far.json["errors"]).toMatchObject([{ index: 1_001 }]);
    const stray = await send(await struck({ kind: "index_out_of_range" }));
    expect(stray.json["errors"]).toMatchObject([{ index: 1_000 }]);
  });

  test("a refusal is not dressed up as a success", async () => {
    await braze.control.addFault({ kind: "queued_202" });
    expect((await send("unknown-key")).status).toBe(401);
  });
});

describe("when a fault strikes", () => {
  test("it strikes only its key and path, as often as ordered, and counts", async () => {
    const key = await struck({ kind: "500", times: 2 });
    const other = await braze.workspace();
    expect((await send(other)).status).toBe(201);
    expect(await braze.attributesOf(key, "u")).toBeUndefined();
    expect([(await send(key)).status, (await send(key)).status, (await send(key)).status]).toEqual([
      500, 500, 201,
    ]);
    expect(await braze.control.faults()).toMatchObject([{ kind: "500", struck: 2 }]);
  });

  test("a probability strikes some requests, the same ones for the same seed", async () => {
    const runs = [];
    for (const seed of [7, 7, 8]) {
      const key = await braze.workspace();
      await braze.control.addFault({ key, kind: "500", probability: 0.5, seed });
      const statuses = [];
      for (let n = 0; n < 20; n++) statuses.push((await send(key)).status);
      runs.push(statuses.join(" "));
    }
    expect(runs[0]).toBe(runs[1]);
    expect(runs[0]).not.toBe(runs[2]);
    expect(runs[0]).toContain("500");
    expect(runs[0]).toContain("201");
  });

  test("a fault ends after its duration", async () => {
    const key = await braze.workspace();
    await braze.control.addFault({ key, kind: "500", durationMs: 100 });
    expect((await send(key)).status).toBe(500);
    await expect.poll(async () => (await send(key)).status).toBe(201);
  });

  test("cleared faults strike no more", async () => {
    const key = await struck({ kind: "500" });
    await braze.control.clearFaults();
    expect((await send(key)).status).toBe(201);
    expect(await braze.control.faults()).toEqual([]);
  });
});
