import { afterAll, beforeAll, expect, test } from "vitest";
import type { RecentWrites } from "../../../src/ledger/quiet.ts";
import { attribute, emptyLedger, folder, openLedgerWorld } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const group = "subscription_group:news";
const at = "2026-05-02T14:32:05.000Z";
const until = "2026-05-02T14:39:05.000Z";

test("a user whose attribute waits for the quiet window is not subscribed before it, and both go on at the same time", async () => {
  const snapshot = await world.snapshot(["ann", "bob"]);
  const ledger = { ...emptyLedger, target: "snapshot", batchSize: 50 } as const;
  const [before] = await world.ledger.diffChannels({
    folder,
    number: 1,
    snapshot: await world.snapshot(["bob"]),
    channels: [{ channel: attribute, ...ledger }],
    at,
  });
  const recent: RecentWrites[] = [{ until, parts: before!.deltas[0]!.parts, exceptions: null }];
  const channels = [
    { channel: attribute, ...ledger, recent },
    { channel: group, ...ledger },
  ];
  const plans = await world.ledger.diffChannels({ folder, number: 2, snapshot, channels, at });
  for (const plan of plans) {
    expect(plan.deltas.map(({ direction, users }) => [direction, users])).toEqual([["entered", 1]]);
    expect(await world.rows(plan.kept)).toEqual([
      expect.objectContaining({ user_id: "bob", state: "absent", reason: "quiet", retry_at: until }),
    ]);
  }
});
