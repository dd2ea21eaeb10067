import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SegopsControl } from "../../../sandbox/segops/control.ts";
import { startSegops } from "../../../sandbox/segops/server.ts";
import { CodedError } from "../../../src/contracts/errors.ts";
import { readMembership } from "../../../src/segops/membership.ts";
import type { BuiltSnapshot, MembershipSink } from "../../../src/segops/membership.ts";
import { apiKey, hastyClock, segment7, segopsAt } from "./local-segops.ts";

let standIn: Awaited<ReturnType<typeof startSegops>>;
let control: SegopsControl;
let scratchDir: string;

beforeAll(async () => {
  standIn = await startSegops({ port: 0, host: "127.0.0.1" });
  control = new SegopsControl(standIn.url);
  await control.putTenant("acme", { api_key: apiKey });
  scratchDir = await mkdtemp(join(tmpdir(), "segops-membership-test-"));
});

afterAll(async () => {
  await standIn.close();
  await rm(scratchDir, { recursive: true, force: true });
});

beforeEach(async () => {
  await control.clearFaults();
  await control.deleteSegment("acme", 7).catch(() => undefined);
});

type Built = BuiltSnapshot & { ids: Set<string> };

/** Sinks that keep ids in memory, and what became of each. */
function sinks() {
  const made: ("open" | "finished" | "discarded")[] = [];
  const sources: string[] = [];
  const sink = (): MembershipSink<Built> => {
    const nth = made.push("open") - 1;
    const ids = new Set<string>();
    let notString = 0;
    return {
      addIds(items) {
        sources.push("page");
        for (const item of items) {
          if (typeof item === "string") ids.add(item);
          else notString += 1;
        }
      },
      async addExport(path) {
        sources.push("export");
        for (const id of await readParquet(path)) ids.add(id);
      },
      finish() {
        made[nth] = "finished";
        const dropped = { empty: 0, ill_formed: 0, not_string: notString, duplicate: 0 };
        return Promise.resolve({ ids, rows: ids.size, dropped, distinctReceived: ids.size });
      },
      discard() {
        made[nth] = "discarded";
        return Promise.resolve();
      },
    };
  };
  return { sink, made, sources };
}

async function readParquet(path: string): Promise<string[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  try {
    const reader = await connection.runAndReadAll("SELECT user_id FROM read_parquet($1)", [path]);
    return reader.getRows().map(([id]) => id as string);
  } catch {
    throw new CodedError("snapshot_unverified", "the export cannot be read");
  } finally {
    connection.closeSync();
  }
}

type Options = Partial<Parameters<typeof readMembership<Built>>[0]>;

function read(options: Options = {}) {
  const clock = hastyClock();
  const { sink, made, sources } = sinks();
  const answer = readMembership<Built>({
    segops: segopsAt(standIn.url, clock),
    key: segment7,
    sink,
    scratchDir,
    signal: new AbortController().signal,
    clock,
    ...options,
  });
  return { answer, clock, made, sources };
}

async function computed(count: number, options: Parameters<SegopsControl["putSegment"]>[2]["options"] = {}) {
  await control.putSegment("acme", 7, { name: "High LTV", generate: { count, prefix: "u" }, options });
  return control.recompute("acme", 7, { webhook: false });
}

describe("a membership", () => {
  test.each(["cursor", "page"] as const)("of 10,000 is paged (%s) and answered whole", async (paging) => {
    const { computed_at } = await computed(10_000, { paging });
    const { answer, made, sources } = read({ notBefore: computed_at, ledgerComputedAt: computed_at });
    const { built, discard, ...rest } = await answer;
    expect(rest).toEqual({ computedAt: computed_at, memberCount: 10_000, segmentName: "High LTV" });
    expect([...built.ids].sort()).toEqual(await control.members("acme", 7));
    expect(sources).toEqual(Array.from({ length: 10 }, () => "page"));
    expect(made).toEqual(["finished"]);
    await discard();
    expect(made).toEqual(["discarded"]);
  });

  test.each(["relative", "absolute"] as const)(
    "of 10,001 is exported (%s redirect) without showing the key to the file host, and its file removed",
    async (location) => {
      await computed(10_001, { location, exportDelayMs: 30 });
      const { answer, sources } = read();
      expect((await answer).built.ids.size).toBe(10_001);
      expect(sources).toEqual(["export"]);
      expect(await readdir(scratchDir)).toEqual([]);
      expect((await control.stats()).authorizedFileRequests).toBe(0);
    },
  );

  test("that is empty by SegOps' own count is answered as empty", async () => {
    await computed(0);
    expect((await read().answer).memberCount).toBe(0);
  });

  test("of a segment that was never computed is segment_not_computed, without a sink", async () => {
    await control.putSegment("acme", 7, {});
    const { answer, made } = read();
    await expect(answer).rejects.toMatchObject({ code: "segment_not_computed" });
    expect(made).toEqual([]);
  });

  test("of a segment that does not exist is segment_not_found, and not empty", async () => {
    await expect(read().answer).rejects.toMatchObject({ code: "segment_not_found" });
  });

  test("of a segment that is deleted half way is segment_not_found, and its sink is discarded", async () => {
    await computed(3);
    await control.addFault({ kind: "not_found", on: "members" });
    const { answer, made } = read();
    await expect(answer).rejects.toMatchObject({ code: "segment_not_found" });
    expect(made).toEqual(["discarded"]);
  });
});

describe("a membership that is not whole at first is read again with a fresh sink", () => {
  test.each([
    ["a recompute lands between two pages", 2500, "recompute_mid_page"],
    ["a page is left out", 2500, "missing_page"],
    ["the count is short", 10, "short_count"],
    ["a recompute lands during an export", 10_001, "recompute_mid_export"],
    ["an export is damaged", 10_001, "damaged_parquet"],
  ] as const)("where %s", async (_, count, kind) => {
    await computed(count);
    await control.addFault({ kind });
    const { answer, made, clock } = read();
    const { built } = await answer;
    expect([...built.ids].sort()).toEqual(await control.members("acme", 7));
    expect(made).toEqual(["discarded", "finished"]);
    expect(clock.pausesMs).toContain(2000);
    expect(await readdir(scratchDir)).toEqual([]);
  });

  test("where SegOps still shows an older computation than was signalled, before any member is read", async () => {
    const { computed_at } = await computed(10);
    await control.addFault({ kind: "older_computed_at" });
    const { answer, made } = read({ notBefore: computed_at });
    expect((await answer).computedAt).toBe(computed_at);
    expect(made).toEqual(["finished"]);
  });
});

test("a page that comes twice counts once: what is distinct is proven, and nothing is read again", async () => {
  await computed(2500);
  const fault = await control.addFault({ kind: "duplicate_page" });
  const { answer, made } = read();
  const { built } = await answer;
  expect([...built.ids].sort()).toEqual(await control.members("acme", 7));
  expect(made).toEqual(["finished"]);
  expect((await control.faults()).find(({ id }) => id === fault)?.struck).toBe(1);
});

test("members without an id do not stop a membership; the sink's count of them is handed on", async () => {
  await computed(10);
  await control.addFault({ kind: "non_string_member" });
  const { built, memberCount } = await read().answer;
  expect(memberCount).toBe(10);
  expect(built.dropped.not_string).toBe(4);
});

test("a membership that stays unproven for five minutes is snapshot_unverified, with counts and no ids", async () => {
  await computed(10);
  await control.addFault({ kind: "short_count", times: "always" });
  const { answer, made, clock } = read();
  const error = await answer.catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: "snapshot_unverified",
    detail: expect.stringMatching(
      /^member_count is \d+, but 10 distinct members were received; attempts: 14$/,
    ),
  });
  expect(made).toHaveLength(14);
  expect(new Set(made)).toEqual(new Set(["discarded"]));
  const waitedMs = clock.pausesMs.reduce((sum, ms) => sum + ms, 0);
  expect(waitedMs).toBeGreaterThanOrEqual(270_000);
  expect(waitedMs).toBeLessThanOrEqual(300_000);
});

test("an export that never completes proves nothing: after five minutes it is segops_unavailable, and its sink is discarded", async () => {
  await computed(10_001);
  await control.addFault({ kind: "export_never_completes" });
  const { answer, made } = read();
  await expect(answer).rejects.toMatchObject({ code: "segops_unavailable" });
  expect(made).toEqual(["discarded"]);
});

test("a membership older than the ledger's is never answered", async () => {
  await computed(10);
  const { answer, made } = read({ ledgerComputedAt: "2099-01-01T00:00:00Z", retryForMs: 5_000 });
  await expect(answer).rejects.toMatchObject({
    code: "snapshot_unverified",
    detail: expect.stringContaining("older than the ledger's 2099-01-01T00:00:00Z; attempts: 2"),
  });
  expect(made).toEqual([]);
});

test("a sink that fails is discarded and its error passes through", async () => {
  await computed(10);
  const { sink, made } = sinks();
  const failing = () => ({ ...sink(), finish: () => Promise.reject(new Error("disk full")) });
  await expect(read({ sink: failing }).answer).rejects.toThrow("disk full");
  expect(made).toEqual(["discarded"]);
});
