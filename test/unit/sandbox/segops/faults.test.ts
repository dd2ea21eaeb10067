import { writeFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { beforeEach, describe, expect, test } from "vitest";
import { idsOf, useSegops } from "./segops-fixture.ts";

const segops = useSegops();
const MEMBERS = ["a", "b", "c", "d", "e", "f"];
const SEGMENT_PATH = "/api/segments/7/";

beforeEach(async () => {
  await segops().control.putSegment("acme", 7, { members: MEMBERS });
  await segops().control.recompute("acme", 7);
});

describe("a fault of the wire", () => {
  test.each([
    ["500", 500],
    ["503", 503],
    ["429", 429],
    ["not_found", 404],
  ] as const)("%s answers with that status, once", async (kind, status) => {
    await segops().control.addFault({ on: "segment", kind });
    const response = await segops().fetch(SEGMENT_PATH);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ detail: expect.any(String) });
    expect((await segops().fetch(SEGMENT_PATH)).status).toBe(200);
  });

  test("429 says how long to wait", async () => {
    await segops().control.addFault({ on: "members", kind: "429", retryAfterSeconds: 17 });
    await segops().control.addFault({ on: "members", kind: "429" });
    const path = "/api/segments/7/members/";
    expect((await segops().fetch(path)).headers.get("retry-after")).toBe("17");
    expect((await segops().fetch(path)).headers.get("retry-after")).toBe("1");
  });

  test("reset cuts the connection without an answer", async () => {
    await segops().control.addFault({ on: "segment", kind: "reset" });
    await expect(segops().fetch(SEGMENT_PATH)).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
  });

  test("hang gives no answer for as long as the client waits", async () => {
    await segops().control.addFault({ on: "segment", kind: "hang" });
    const signal = AbortSignal.timeout(100);
    await expect(segops().fetch(SEGMENT_PATH, { signal })).rejects.toMatchObject({ name: "TimeoutError" });
    expect((await segops().fetch(SEGMENT_PATH)).status).toBe(200);
  });

  test("empty is a success without a body, html one that is no JSON", async () => {
    await segops().control.addFault({ on: "segment", kind: "empty" });
    await segops().control.addFault({ on: "segment", kind: "html" });
    const empty = await segops().fetch(SEGMENT_PATH);
    expect([empty.status, await empty.text()]).toEqual([200, ""]);
    const html = await segops().fetch(SEGMENT_PATH);
    expect([html.status, await html.text()]).toEqual([200, expect.stringMatching(/^<!doctype html>/)]);
  });

  test("truncated announces the whole answer and sends half", async () => {
    await segops().control.addFault({ on: "segment", kind: "truncated" });
    const response = await segops().fetch(SEGMENT_PATH);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow("terminated");
  });

  test("truncated on a download strikes the file behind the redirect", async () => {
    const { download_url } = await segops().finishedExport("parquet");
    await segops().control.addFault({ on: "download", kind: "truncated" });
    const redirect = await segops().fetch(download_url ?? "");
    const file = await fetch(segops().url + redirect.headers.get("location"));
    await expect(file.arrayBuffer()).rejects.toThrow("terminated");
    expect(await segops().control.faults()).toMatchObject([{ on: "file", struck: 1 }]);
  });

  test("leaves an export unmade when it strikes its start", async () => {
    await segops().control.addFault({ on: "export", kind: "503" });
    await expect(segops().startExport("csv")).rejects.toThrow(/503/);
    expect((await segops().control.stats()).exports.started).toBe(0);
    await segops().control.addFault({ on: "export_status", kind: "500" });
    const { export_id } = await segops().startExport("csv");
    await expect(segops().exportStatus(export_id)).rejects.toThrow(/500/);
  });
});

describe("setting faults", () => {
  test("strikes only the tenant, segment and request named, as often as told, and counts", async () => {
    const { control } = segops();
    await control.putSegment("acme", 8, {});
    await control.putTenant("rival", { api_key: "sk_rival" });
    await control.putSegment("rival", 7, {});
    await control.addFault({ tenant: "acme", segment: 7, on: "segment", kind: "500", times: 2 });
    const statuses = [];
    for (const [path, key] of [
      ["8/", "sk_test_acme"],
      ["7/", "sk_rival"],
      ["7/members/", "sk_test_acme"],
      ["7/", "sk_test_acme"],
      ["7/", "sk_test_acme"],
      ["7/", "sk_test_acme"],
    ]) {
      const headers = { authorization: `ApiKey ${key}` };
      statuses.push((await segops().fetch(`/api/segments/${path}`, { headers })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 500, 500, 200]);
    expect(await control.faults()).toEqual([
      { id: 1, kind: "500", on: "segment", tenant: "acme", segment: 7, left: 0, struck: 2 },
    ]);
  });

  test("one that strikes always ends only when faults are cleared", async () => {
    await segops().control.addFault({ kind: "503", times: "always" });
    for (let asked = 0; asked < 5; asked++) expect((await segops().fetch(SEGMENT_PATH)).status).toBe(503);
    expect(await segops().control.faults()).toMatchObject([{ left: "always", struck: 5 }]);
    await segops().control.clearFaults();
    expect((await segops().fetch(SEGMENT_PATH)).status).toBe(200);
    expect(await segops().control.faults()).toEqual([]);
  });
});

describe("a fault of the content", () => {
  test("recompute_mid_page lands after the first page is served", async () => {
    const before = await segops().segment();
    await segops().control.putSegment("acme", 7, { members: ["u", "v", "w", "x", "y", "z"] });
    await segops().control.addFault({ kind: "recompute_mid_page", times: "always" });
    expect(idsOf(await segops().walk(3))).toEqual(["a", "b", "c", "x", "y", "z"]);
    const after = await segops().segment();
    expect(after.last_computed_at).not.toBe(before.last_computed_at);
    expect(after.member_count).toBe(before.member_count);
    expect(await segops().control.faults()).toMatchObject([{ struck: 1 }]);
  });

  test("duplicate_page serves one page's members twice and loses none", async () => {
    await segops().control.addFault({ kind: "duplicate_page" });
    const pages = await segops().walk(2);
    expect(pages).toHaveLength(3);
    expect(idsOf(pages)).toEqual(["a", "b", "a", "b", "c", "d", "e", "f"]);
  });

  test("repeated_cursor leads back to the same page, for as long as it strikes", async () => {
    await segops().control.addFault({ kind: "repeated_cursor", times: "always" });
    const pages = await segops().walk(2, 5);
    expect(idsOf(pages)).toEqual(["a", "b", "a", "b", "a", "b", "a", "b", "a", "b"]);
    expect(new Set(pages.map((page) => page.next_cursor)).size).toBe(1);
  });

  test("missing_page skips one page though nothing says so", async () => {
    await segops().control.addFault({ kind: "missing_page" });
    expect(idsOf(await segops().walk(2))).toEqual(["a", "b", "e", "f"]);
    await segops().control.addFault({ kind: "missing_page" });
    expect(idsOf(await segops().walk(3))).toEqual(["a", "b", "c"]);
  });

  test("non_string_member adds what is no id to the true members", async () => {
    await segops().control.addFault({ kind: "non_string_member" });
    const [page] = await segops().walk(10);
    expect(page?.results).toEqual([...MEMBERS.map((user_id) => ({ user_id })), 42, null, {}, { user_id: 7 }]);
  });

  test("short_count reports one member too few", async () => {
    await segops().control.addFault({ kind: "short_count" });
    expect((await segops().segment()).member_count).toBe(5);
    expect((await segops().segment()).member_count).toBe(6);
  });

  test("older_computed_at reports a time an hour before the true one", async () => {
    const { last_computed_at } = await segops().segment();
    await segops().control.addFault({ kind: "older_computed_at" });
    const older = await segops().segment();
    const hour = Date.parse(last_computed_at ?? "") - Date.parse(older.last_computed_at ?? "");
    expect(hour).toBe(3_600_000);
  });

  test("export_never_completes leaves that one export pending", async () => {
    await segops().control.addFault({ kind: "export_never_completes" });
    const stuck = await segops().startExport("csv");
    const next = await segops().finishedExport("csv");
    expect(next.id).toBe(stuck.export_id + 1);
    expect(await segops().exportStatus(stuck.export_id)).toMatchObject({ status: "pending" });
  });

  test("recompute_mid_export lands while the export is made of what was before", async () => {
    const before = await segops().segment();
    await segops().control.putSegment("acme", 7, { members: ["z"] });
    await segops().control.addFault({ kind: "recompute_mid_export" });
    const { download_url } = await segops().finishedExport("csv");
    const redirect = await segops().fetch(download_url ?? "");
    const csv = await (await fetch(segops().url + redirect.headers.get("location"))).text();
    expect(csv.match(/^.,/gm)).toEqual(MEMBERS.map((id) => `${id},`));
    expect(csv).toContain(before.last_computed_at);
    expect(await segops().segment()).toMatchObject({ member_count: 1 });
  });

  test("damaged_parquet arrives whole and cannot be read", async () => {
    const { download_url } = await segops().finishedExport("parquet");
    const redirect = await segops().fetch(download_url ?? "");
    const location = segops().url + redirect.headers.get("location");
    await segops().control.addFault({ kind: "damaged_parquet" });
    await expect(countParquetRows(await fetch(location))).rejects.toThrow(/parquet/i);
    expect(await countParquetRows(await fetch(location))).toBe(MEMBERS.length);
  });
});

async function countParquetRows(file: Response): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "segops-fault-test-"));
  const path = join(directory, "file.parquet");
  await writeFile(path, Buffer.from(await file.arrayBuffer()));
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  try {
    const reader = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM '${path}'`);
    return Number(reader.getRows()[0]?.[0]);
  } finally {
    connection.closeSync();
    await rm(directory, { recursive: true });
  }
}
