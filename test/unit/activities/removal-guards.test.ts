import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pendingRemoval, removalGuards } from "../../../src/activities/removal-guards.ts";
import type { ChannelPlan, ConfigEntry, FileRef, LedgerRef } from "../../../src/contracts/log.ts";
import { ConnectorLog } from "../../../src/ledger/log.ts";
import { openStorage } from "../../../src/storage/open-storage.ts";
import { firstConfig } from "../ledger/ledger-world.ts";

const attribute = "attribute:segops_segment_7";
const group = "subscription_group:6f1a3c52-0b0f-4c6e-9b5a-0f3f6c0d9a11";

let dir: string;
let log: ConnectorLog;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "removal-guards-"));
  log = new ConnectorLog(await openStorage(`file:${dir}`), { tenant_slug: "acme", segment_id: 7 });
});
afterEach(() => rm(dir, { recursive: true }));

function file(name: string, rows = 120): FileRef {
  return {
    key: `connectors/acme/7/exceptions/${name}.held.parquet`,
    rows,
    bytes: 1,
    sha256: name.repeat(64),
  };
}

async function written(number: number, approved?: ConfigEntry["approved"]): Promise<ConfigEntry> {
  const entry: ConfigEntry = {
    ...firstConfig,
    number,
    change_id: `change ${number}`,
    change: approved ? "removal_approved" : "configured",
    config: { ...firstConfig.config, max_removal_percent: 25 },
    ...(approved ? { approved } : {}),
  };
  await log.writeConfig(entry);
  return entry;
}

function approval(...sets: [channel: string, name: string][]): ConfigEntry["approved"] {
  return {
    digest: "d".repeat(64),
    users: 120,
    sets: sets.map(([channel, name]) => ({ channel, file: file(name) })),
  };
}

function ledger(channel: string, config_number: number): LedgerRef {
  const counts = { delivered: 390, rejected: 3, unknown: 10, waiting: 0 };
  const rest_endpoint = "https://rest.iad-01.braze.com";
  return { channel, rest_endpoint, config_number, base: file("b"), exceptions: null, counts, retry_at: null };
}

function planned(channel: string, held?: FileRef): ChannelPlan {
  const head = { channel, base: null, exceptions: null, target: "snapshot", kept: null, deltas: [] } as const;
  return { ...head, deltas: [], ...(held ? { held } : {}) };
}

test("each channel is guarded by its own audience, those included whom Braze has not answered", async () => {
  const guardOf = await removalGuards(log, await written(1), [ledger(attribute, 1)], null);
  expect(guardOf(attribute)).toEqual({ audience: 400, members: 0, maxPercent: 25, approved: [] });
  expect(guardOf(group)).toMatchObject({ audience: 0 });
});

test("an approval holds until a run has written to its channel under it, whatever settings change meanwhile", async () => {
  await written(1);
  await written(2, approval([attribute, "a"], [group, "c"]));
  const latest = await written(3);
  const ledgers = [ledger(attribute, 1), ledger(group, 2)];
  const guardOf = await removalGuards(log, latest, ledgers, null);
  expect(guardOf(attribute).approved).toEqual([file("a")]);
  // Its run has acted on it: users who return and leave again are for a person again.
  expect(guardOf(group).approved).toEqual([]);
});

test("two approvals are both acted on", async () => {
  await written(1);
  await written(2, approval([attribute, "a"]));
  const latest = await written(3, approval([attribute, "c"]));
  const guardOf = await removalGuards(log, latest, [ledger(attribute, 1)], null);
  expect(guardOf(attribute).approved).toEqual([file("c"), file("a")]);
});

test("what is held has one digest, that of its sets and channels, and not of the files' names", () => {
  const held = pendingRemoval([planned(attribute, file("a")), planned(group)]);
  expect(held).toEqual({
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    users: 120,
    sets: [{ channel: attribute, file: file("a") }],
  });
  const renamed = { ...file("a"), key: "connectors/acme/7/exceptions/later.held.parquet" };
  expect(pendingRemoval([planned(attribute, renamed)])?.digest).toBe(held?.digest);
  expect(pendingRemoval([planned(group, file("a"))])?.digest).not.toBe(held?.digest);
  const both = pendingRemoval([planned(attribute, file("a")), planned(group, file("c", 130))]);
  expect(both?.digest).not.toBe(held?.digest);
  // One person in two channels is one person.
  expect(both?.users).toBe(130);
});

test("nothing held is nothing pending", () => {
  expect(pendingRemoval([planned(attribute), planned(group)])).toBeNull();
});
