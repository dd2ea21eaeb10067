import { expect } from "vitest";
import type { TestConnector } from "./test-connector.ts";
import { eventually } from "./waiting.ts";

/** One part of 300 batches, 8 of them at a time: at 200 ms an answer, 40 requests a second. */
export const users = 3_000;
export const requests = 300;
export const settings = { batch_size: 10 };
export const population = { generate: { count: users, prefix: "user-" } };

/** Rejected by name: at the part's ends and in its middle. In byte order. */
export const blockedIds = ["user-0", "user-1", "user-1500", "user-2998", "user-999"];

/**
 * What may be sent again after kill -9, in requests: a report a second tells of what was known up to half a second before, and twice
 * the 8 in flight may be ahead of the cursor.
 */
export function resentAtMost(answerDelayMs: number): number {
  return 1.5 * (8 / (answerDelayMs / 1000)) + 16;
}

/** Braze shows whom SegOps says, whom it rejects are listed, and the ledger claims no more and no less. */
export async function expectDelivered(connector: TestConnector): Promise<void> {
  const commit = await connector.ran(1);
  // After a crash a rejected user may be of unknown state: what the lost attempt sent for him is known to nobody.
  const state = expect.stringMatching(/^(absent|unknown)$/) as unknown;
  const rejected = blockedIds.map((user_id) => ({ user_id, state, reason: "braze_user_blocked" }));
  expect(commit).toMatchObject({ outcome: "clean", counts: { rejected: blockedIds.length } });
  expect(await connector.differing(blockedIds)).toEqual({ missing: [], extra: [] });
  expect(await connector.exceptions()).toEqual(rejected);
  const delivered = users - blockedIds.length;
  const counts = { delivered, rejected: blockedIds.length, unknown: 0, waiting: 0 };
  expect(commit.channels[0]?.counts).toEqual(counts);
}

/** Returns as soon as Braze has accepted this share of the users. */
export async function untilAccepted(connector: TestConnector, share: number): Promise<void> {
  const what = `${share * 100} % of the users are sent`;
  await eventually(what, async () => (await connector.stats()).objectsAccepted >= share * users, {
    everyMs: 5,
  });
}
