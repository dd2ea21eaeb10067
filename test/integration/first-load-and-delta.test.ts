import { afterAll, beforeAll, expect, test } from "vitest";
import type { RecordedWrite } from "../../sandbox/braze/write-record.ts";
import { startStage, type Stage } from "./harness.ts";
import { ids, type TestConnector } from "./test-connector.ts";

const nothing = { missing: [], extra: [] };
const group = "6f1a3c52-0b0f-4c6e-9b5a-0f3f6c0d9a11";

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
  await stage.startWorker();
});
afterAll(() => stage.stop());

async function writesOf(connector: TestConnector): Promise<RecordedWrite[]> {
  const writes: RecordedWrite[] = [];
  for await (const write of stage.stack.braze.writes(connector.brazeKey)) writes.push(write);
  return writes;
}

test.for([
  [1, 1],
  [75, 1],
  [76, 2],
  [1001, 14],
])("a first load of n users takes ⌈n/75⌉ requests: n = %i makes %i", async ([users = 0, requests]) => {
  const connector = stage.connector();
  await connector.start({ generate: { count: users, prefix: "user-" } });
  const commit = await connector.ran(1);
  expect(commit).toMatchObject({
    outcome: "clean",
    counts: { entered: users, exited: 0, requests, resent: 0 },
  });
  expect(await connector.requests()).toBe(requests);
  expect((await connector.stats()).objectsAccepted).toBe(users);
  expect(await connector.differing()).toEqual(nothing);
});

test("a delta of 100 users writes 100 objects and nobody else", async () => {
  const connector = stage.connector();
  await connector.start({ generate: { count: 500, prefix: "user-" } });
  await connector.ran(1);
  await connector.recompute({ exitFirst: 40, enter: ids(60, "new-") });
  const commit = await connector.ran(2);
  expect(commit).toMatchObject({ outcome: "clean", counts: { entered: 60, exited: 40, requests: 2 } });
  expect((await connector.stats()).objectsAccepted).toBe(500 + 100);
  expect(await connector.differing()).toEqual(nothing);
});

test("a recompute that changes nothing sends nothing and stores no snapshot, yet leaves a commit", async () => {
  const connector = stage.connector();
  await connector.start({ generate: { count: 300, prefix: "user-" } });
  await connector.ran(1);
  const [requests, snapshots] = [(await connector.stats()).requests, await connector.files("snapshots")];
  const computedAt = await connector.recompute();
  const commit = await connector.ran(2);
  expect(commit).toMatchObject({ outcome: "no_change", counts: { entered: 0, exited: 0, requests: 0 } });
  expect(commit.synced?.computed_at).toBe(computedAt);
  expect((await connector.stats()).requests).toEqual(requests);
  expect(snapshots).toHaveLength(1);
  expect(await connector.files("snapshots")).toEqual(snapshots);
  expect(await connector.files("log")).toEqual([
    "000000000001.commit.json",
    "000000000001.plan.json",
    "000000000002.commit.json",
  ]);
});

test("a user whom Braze rejects is listed, counted, not in the ledger and not sent again by the next run", async () => {
  const connector = stage.connector();
  const blocked = ["user-17", "user-222"];
  await connector.start({ generate: { count: 300, prefix: "user-" } }, {}, { blockedIds: blocked });
  const first = await connector.ran(1);
  expect(first).toMatchObject({ outcome: "clean", counts: { entered: 298, rejected: 2 } });
  expect(first.channels[0]?.counts).toEqual({ delivered: 298, rejected: 2, unknown: 0, waiting: 0 });
  const listed = blocked.map((user_id) => ({ user_id, state: "absent", reason: "braze_user_blocked" }));
  expect(await connector.exceptions()).toEqual(listed);

  await connector.recompute({ enter: ["newcomer"] });
  expect(await connector.ran(2)).toMatchObject({ counts: { entered: 1, rejected: 0, requests: 1 } });
  expect((await connector.stats()).objectsRejected).toBe(2);
  expect(await connector.exceptions()).toEqual(listed);
  expect((await connector.describe()).channels[0]).toMatchObject({ delivered: 299, rejected: 2 });
  expect(await connector.differing(blocked)).toEqual(nothing);
});

test("ids are opaque: odd ones arrive byte for byte, in paging and in exports", async () => {
  const odd = [
    " leading and trailing ",
    `quotes " ' \` and \\ backslash`,
    "🦊👩‍👩‍👧",
    "caf\u00e9",
    "cafe\u0301",
    "CAFE",
    "cafe",
    "line\nbreak\r\nand\ttab",
    "\u2028\u2029",
    "\u0001\u007f",
    "nul\u0000inside",
    "nul\u0000",
    "\ufeffmark",
    "\ufffd",
    "__proto__",
    "null",
    "0017",
    "17",
    "a,b;c",
    "'; DROP TABLE users; --",
    "ş".repeat(450),
    "x".repeat(987),
  ];
  const paged = stage.connector();
  await paged.start({ members: odd });
  const exported = stage.connector();
  await exported.start({ members: odd, generate: { count: 10_001, prefix: "user-" } });
  expect((await paged.ran(1)).counts).toMatchObject({ entered: odd.length, rejected: 0 });
  expect(await paged.differing()).toEqual(nothing);
  expect((await exported.ran(1)).counts).toMatchObject({ entered: odd.length + 10_001, rejected: 0 });
  expect(await exported.differing()).toEqual(nothing);
});

test("an id over 987 bytes is rejected here and counted, and never reaches Braze", async () => {
  const connector = stage.connector();
  const tooLong = ["é".repeat(494), "x".repeat(988)];
  await connector.start({ members: [...tooLong, "é".repeat(493), "user-1"] });
  const commit = await connector.ran(1);
  expect(commit.counts).toMatchObject({ entered: 2, requests: 1 });
  expect(commit.channels[0]?.counts).toEqual({ delivered: 2, rejected: 2, unknown: 0, waiting: 0 });
  expect((await connector.exceptions()).map(({ user_id, reason }) => [user_id, reason])).toEqual([
    [tooLong[1], "braze_id_too_long"],
    [tooLong[0], "braze_id_too_long"],
  ]);
  expect((await connector.stats()).objectsRejected).toBe(0);
  expect(await connector.differing(tooLong)).toEqual(nothing);
});

test("members that are empty, ill-formed, duplicated or no strings are counted by reason, never dropped in silence", async () => {
  const connector = stage.connector();
  const target = { tenant: connector.key.tenant_slug, segment: connector.id };
  await stage.stack.segops.addFault({ ...target, kind: "duplicate_page" });
  await stage.stack.segops.addFault({ ...target, kind: "non_string_member" });
  await connector.start({ members: ["", "\ud800half", ...ids(10)] });
  const commit = await connector.ran(1);
  expect(commit.dropped).toEqual({ empty: 2, ill_formed: 2, not_string: 4, duplicate: 10 });
  expect(commit.counts.entered).toBe(10);
  expect(await connector.inBraze()).toEqual(ids(10));
});

test("up to 10,000 members are paged, more are exported", async () => {
  const { segops } = stage.stack;
  const asked = async () => {
    const { requests, exports } = await segops.stats();
    return { pages: requests["members"] ?? 0, exports: exports.started };
  };
  const before = await asked();
  const small = stage.connector();
  await small.start({ generate: { count: 10_000, prefix: "user-" } });
  await small.ran(1);
  const paged = await asked();
  expect(paged).toEqual({ pages: before.pages + 10, exports: before.exports });

  const large = stage.connector();
  await large.start({ generate: { count: 10_001, prefix: "user-" } });
  const commit = await large.ran(1);
  expect(await asked()).toEqual({ pages: paged.pages, exports: paged.exports + 1 });
  expect(commit.counts).toMatchObject({ entered: 10_001, requests: Math.ceil(10_001 / 75) });
  expect(await large.differing()).toEqual(nothing);
});

test("a subscription group gets its members strictly after the attribute, and nobody is left in it once it is removed", async () => {
  const connector = stage.connector();
  await connector.start(
    { generate: { count: 400, prefix: "user-" } },
    { segment_id: group },
    { recordWrites: true, answerDelayMs: 20 },
  );
  const commit = await connector.ran(1);
  expect(commit.counts).toMatchObject({ entered: 400, requests: Math.ceil(400 / 75) + Math.ceil(400 / 50) });
  expect(await connector.inGroup(group)).toEqual(await connector.inSegops());
  const writes = await writesOf(connector);
  const isAttribute = (write: RecordedWrite) => write.attribute === connector.attribute;
  const lastOfAttribute = writes.findLastIndex(isAttribute);
  expect(writes).toHaveLength(800);
  expect(lastOfAttribute).toBe(399);

  await connector.configure({ segment_id: null });
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { exited: 400 } });
  expect(await connector.inGroup(group)).toEqual([]);
  expect(await connector.inGroup(group, "unsubscribed")).toHaveLength(400);
  expect(await connector.differing()).toEqual(nothing);
  expect((await connector.describe()).channels).toHaveLength(1);
});

test("a changed attribute_name sets the new attribute and unsets the old one", async () => {
  const connector = stage.connector();
  await connector.start({ generate: { count: 200, prefix: "user-" } });
  await connector.ran(1);
  await connector.configure({ attribute_name: "high_ltv" });
  expect(await connector.ran(2)).toMatchObject({ outcome: "clean", counts: { entered: 200, exited: 200 } });
  expect(await connector.inBraze(true, "high_ltv")).toEqual(await connector.inSegops());
  expect(await connector.inBraze(true)).toEqual([]);
  expect((await connector.describe()).channels).toEqual([
    { channel: "attribute:high_ltv", delivered: 200, rejected: 0, unknown: 0, waiting: 0 },
  ]);
});

test("whoever exits loses the attribute, or with exit_mode set_false shows false", async () => {
  const [removing, falsifying] = [stage.connector(), stage.connector()];
  await removing.start({ members: ids(10) });
  await falsifying.start({ members: ids(10) }, { exit_mode: "set_false" });
  for (const connector of [removing, falsifying]) {
    await connector.ran(1);
    await connector.recompute({ exit: ["user-3", "user-4"] });
    await connector.ran(2);
    expect(await connector.differing()).toEqual(nothing);
  }
  expect(await removing.inBraze(false)).toEqual([]);
  expect(await falsifying.inBraze(false)).toEqual(["user-3", "user-4"]);
});

test("with create_missing_users false nobody is created, and those whom Braze knows are updated", async () => {
  const connector = stage.connector();
  await connector.workspace({});
  const created = await fetch(`${stage.stack.brazeUrl}/users/track`, {
    method: "POST",
    headers: { authorization: `Bearer ${connector.brazeKey}`, "content-type": "application/json" },
    body: JSON.stringify({ attributes: [{ external_id: "user-5", plan: "gold" }] }),
  });
  expect(created.status).toBe(201);
  await stage.stack.braze.settle(connector.brazeKey);
  await connector.start({ members: ids(10) }, { create_missing_users: false });
  await connector.ran(1);
  expect(await connector.inBraze()).toEqual(["user-5"]);
  expect((await connector.stats()).users).toBe(1);
});
