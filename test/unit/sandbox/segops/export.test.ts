import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { API_KEY, ODD_IDS, sortedByUtf8, useSegops } from "./segops-fixture.ts";
import type { ExportBody } from "./segops-fixture.ts";

const segops = useSegops();
let directory = "";
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), "segops-export-test-"))));
afterAll(() => rm(directory, { recursive: true }));

async function downloadExport(format: string): Promise<Buffer> {
  return downloadFile(await segops().finishedExport(format));
}

async function downloadFile({ download_url }: ExportBody): Promise<Buffer> {
  const redirect = await segops().fetch(download_url ?? "");
  expect(redirect.status).toBe(302);
  const file = await fetch(new URL(redirect.headers.get("location") ?? "", segops().url));
  expect(file.status).toBe(200);
  return Buffer.from(await file.arrayBuffer());
}

/** Runs one query that gives a single text, over the Parquet file. */
async function queryParquet(bytes: Buffer, select: string): Promise<unknown> {
  const path = join(directory, "export.parquet");
  await writeFile(path, bytes);
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  try {
    const reader = await connection.runAndReadAll(select.replace("$file", `'${path}'`));
    return JSON.parse(String(reader.getRows()[0]?.[0]));
  } finally {
    connection.closeSync();
  }
}

/** A CSV reader of our own: the quoting rules and nothing else. */
function parseCsv(text: string): string[][] {
  const rows = [];
  const field = /(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r?\n)/gy;
  let row: string[] = [];
  for (const [, quoted, plain = "", end] of text.matchAll(field)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

async function publish(members: string[]): Promise<string> {
  await segops().control.putSegment("acme", 7, { members });
  const { computed_at } = await segops().control.recompute("acme", 7);
  return computed_at;
}

describe("the life of an export", () => {
  test("begins pending and ends complete with a download path and an hour to use it", async () => {
    await publish(["a"]);
    const response = await segops().fetch("/api/segments/7/export/", {
      method: "POST",
      body: '{"format":"parquet"}',
    });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ export_id: 1, status: "pending" });
    const finished = await segops().finishedExport("csv");
    expect(finished).toMatchObject({
      id: 2,
      status: "complete",
      format: "csv",
      download_url: "/api/segments/exports/2/download/",
    });
    const hours = (Date.parse(finished.expires_at ?? "") - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(0.99);
    expect(hours).toBeLessThanOrEqual(1);
  });

  test("stays pending as long as told, and ends with the word that is told", async () => {
    const options = { exportDelayMs: 150, statusWord: "ready" } as const;
    await segops().control.putSegment("acme", 7, { options });
    const before = Date.now();
    const { export_id } = await segops().startExport("csv");
    expect(await segops().exportStatus(export_id)).toMatchObject({ status: "pending", download_url: null });
    expect((await segops().fetch(`/api/segments/exports/${export_id}/download/`)).status).toBe(404);
    expect(await segops().finishedExport("csv")).toMatchObject({ status: "ready" });
    expect(Date.now() - before).toBeGreaterThanOrEqual(149);
  });

  test("holds what was published when it was asked for", async () => {
    await publish(["old"]);
    await segops().control.putSegment("acme", 7, { options: { exportDelayMs: 50 } });
    const { export_id } = await segops().startExport("csv");
    await publish(["new"]);
    const file = await downloadFile(await segops().waitForExport(export_id));
    expect(parseCsv(file.toString()).map(([id]) => id)).toEqual(["user_id", "old"]);
  });

  test("refuses a format that it does not know, and an export of another segment", async () => {
    const init = { method: "POST", body: '{"format":"xlsx"}' };
    expect((await segops().fetch("/api/segments/7/export/", init)).status).toBe(400);
    const { export_id } = await segops().startExport("csv");
    await segops().control.putSegment("acme", 8, {});
    expect((await segops().fetch(`/api/segments/8/export/?export_id=${export_id}`)).status).toBe(404);
    expect((await segops().fetch("/api/segments/7/export/")).status).toBe(400);
  });

  test("cannot be downloaded once it has expired", async () => {
    await segops().control.putSegment("acme", 7, { options: { exportTtlSeconds: 0 } });
    const { download_url } = await segops().finishedExport("csv");
    expect((await segops().fetch(download_url ?? "")).status).toBe(404);
  });

  test("stops cleanly with the server while it is still being written", async () => {
    await segops().control.putSegment("acme", 7, { generate: { count: 400_000, prefix: "user-" } });
    await segops().control.recompute("acme", 7);
    await segops().startExport("parquet");
    await expect(segops().close()).resolves.toBeUndefined();
  });
});

describe("where a download leads", () => {
  test("is a path on the same host by default", async () => {
    const { download_url } = await segops().finishedExport("csv");
    const redirect = await segops().fetch(download_url ?? "");
    expect(redirect.headers.get("location")).toMatch(/^\/_files\/[\w-]+$/);
  });

  test("is another origin when told to, which takes no credentials of SegOps'", async () => {
    await segops().control.putSegment("acme", 7, { options: { location: "absolute" } });
    const { download_url } = await segops().finishedExport("csv");
    const location = (await segops().fetch(download_url ?? "")).headers.get("location") ?? "";
    expect(new URL(location).origin).not.toBe(segops().url);
    expect((await fetch(location)).status).toBe(200);
    expect((await fetch(location, { headers: { authorization: `ApiKey ${API_KEY}` } })).status).toBe(400);
    expect((await segops().control.stats()).authorizedFileRequests).toBe(1);
  });
});

describe("a Parquet export", () => {
  test("holds every id byte for byte beside the time of the recompute", async () => {
    const computedAt = await publish([...ODD_IDS, ""]);
    const bytes = await downloadExport("parquet");
    const ids = await queryParquet(bytes, "SELECT to_json(list(user_id))::VARCHAR FROM $file");
    expect(sortedByUtf8(ids as string[])).toEqual(sortedByUtf8([...ODD_IDS, ""]));
    const micros = await queryParquet(
      bytes,
      "SELECT to_json(list(DISTINCT epoch_us(computed_at))) FROM $file",
    );
    expect(micros).toEqual([
      Date.parse(computedAt.slice(0, 19) + "Z") * 1000 + Number(computedAt.slice(20, 26)),
    ]);
  });

  test.each([
    ["timestamp", "TIMESTAMP WITH TIME ZONE"],
    ["string", "VARCHAR"],
  ] as const)("has exactly two columns, computed_at as %s when told to", async (parquetComputedAt, type) => {
    await publish(["a"]);
    await segops().control.putSegment("acme", 7, { options: { parquetComputedAt } });
    const bytes = await downloadExport("parquet");
    expect(
      await queryParquet(
        bytes,
        "SELECT to_json(list([column_name, column_type])) FROM (DESCRIBE FROM $file)",
      ),
    ).toEqual([
      ["user_id", "VARCHAR"],
      ["computed_at", type],
    ]);
    expect(
      await queryParquet(bytes, "SELECT to_json(list(DISTINCT compression)) FROM parquet_metadata($file)"),
    ).toEqual(["SNAPPY"]);
  });

  test("of a million members is ready within ten seconds, each in it once", async () => {
    await segops().control.putSegment("acme", 7, { generate: { count: 1_000_000, prefix: "user-" } });
    await segops().control.recompute("acme", 7);
    const bytes = await downloadExport("parquet");
    expect(
      await queryParquet(bytes, "SELECT to_json([count(*), count(DISTINCT user_id)]) FROM $file"),
    ).toEqual([1_000_000, 1_000_000]);
  });
});

describe("a CSV export", () => {
  test.each(["\n", "\r\n"] as const)(
    "holds every id byte for byte, rows ending in %j",
    async (csvLineEnd) => {
      const computedAt = await publish([...ODD_IDS, ""]);
      await segops().control.putSegment("acme", 7, { options: { csvLineEnd } });
      const text = (await downloadExport("csv")).toString("utf8");
      expect(text.startsWith(`user_id,computed_at${csvLineEnd}`)).toBe(true);
      const [, ...rows] = parseCsv(text);
      expect(sortedByUtf8(rows.map(([id = "missing"]) => id))).toEqual(sortedByUtf8([...ODD_IDS, ""]));
      expect(new Set(rows.map((row) => row[1]))).toEqual(new Set([computedAt]));
    },
  );

  test("comes without a header row when told to", async () => {
    const computedAt = await publish(["a"]);
    await segops().control.putSegment("acme", 7, { options: { csvHeader: false } });
    expect((await downloadExport("csv")).toString()).toBe(`a,${computedAt}\n`);
  });
});
