import { createHmac } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { API_KEY, startReceiver, useSegops, waitFor } from "./segops-fixture.ts";
import type { Delivery } from "./segops-fixture.ts";

const segops = useSegops();
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function receiveWebhooks(settings: { secret?: string; prefix?: boolean; status?: number }) {
  const { status, ...webhook } = settings;
  const receiver = await startReceiver(status);
  closers.push(receiver.close);
  await segops().control.putTenant("acme", { api_key: API_KEY, webhook: { url: receiver.url, ...webhook } });
  return receiver;
}

function digest(secret: string, { body }: Delivery): string {
  return createHmac("sha256", Buffer.from(secret)).update(body).digest("hex");
}

test("a recompute is told in SegOps' own words, signed over the raw bytes", async () => {
  const receiver = await receiveWebhooks({ secret: "s3cret é" });
  await segops().control.putSegment("acme", 7, { name: 'Käufer "high" \u{1F600}', members: ["a", "b"] });
  const result = await segops().control.recompute("acme", 7);
  expect(result.webhook).toEqual({ status: 200 });
  const [delivery] = receiver.deliveries as [Delivery];
  expect(receiver.deliveries).toHaveLength(1);
  expect(JSON.parse(delivery.body.toString())).toEqual({
    event: "segment.recomputed",
    tenant_slug: "acme",
    segment_id: 7,
    segment_name: 'Käufer "high" \u{1F600}',
    member_count: 2,
    computed_at: result.computed_at,
  });
  expect(delivery.headers["x-segops-signature"]).toBe(`sha256=${digest("s3cret é", delivery)}`);
  expect(await segops().control.webhookBody("acme", 7)).toBe(delivery.body.toString());
});

test("a signature comes without its prefix when told to, and not at all without a secret", async () => {
  const bare = await receiveWebhooks({ secret: "s", prefix: false });
  await segops().control.recompute("acme", 7);
  const [delivery] = bare.deliveries as [Delivery];
  expect(delivery.headers["x-segops-signature"]).toBe(digest("s", delivery));
  const unsigned = await receiveWebhooks({});
  await segops().control.recompute("acme", 7);
  expect(unsigned.deliveries[0]?.headers).toBeDefined();
  expect(unsigned.deliveries[0]?.headers).not.toHaveProperty("x-segops-signature");
});

test("a webhook is tried once, whatever the receiver says", async () => {
  const receiver = await receiveWebhooks({ status: 503 });
  expect((await segops().control.recompute("acme", 7)).webhook).toEqual({ status: 503 });
  expect(receiver.deliveries).toHaveLength(1);
  receiver.close();
  const { webhook } = await segops().control.recompute("acme", 7);
  expect(webhook).toEqual({ status: null, error: expect.stringMatching(/ECONNREFUSED/) });
  expect((await segops().control.stats()).webhooks).toEqual({ delivered: 0, failed: 2 });
});

test("a recompute is silent when told to be, and still has a body to signal with", async () => {
  const receiver = await receiveWebhooks({});
  await expect(segops().control.webhookBody("acme", 7)).rejects.toThrow(/404/);
  const { webhook, computed_at } = await segops().control.recompute("acme", 7, { webhook: false });
  expect(webhook).toBeNull();
  expect(receiver.deliveries).toHaveLength(0);
  expect(JSON.parse(await segops().control.webhookBody("acme", 7))).toMatchObject({ computed_at });
});

test("a compute that the API asked for ends in a webhook too", async () => {
  const receiver = await receiveWebhooks({});
  await segops().json("/api/segments/7/compute/", { method: "POST" });
  const delivery = await waitFor(async () => receiver.deliveries[0]);
  expect(JSON.parse(delivery.body.toString())).toMatchObject({ event: "segment.recomputed", segment_id: 7 });
});
