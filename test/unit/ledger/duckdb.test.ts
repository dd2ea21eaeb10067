import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDuckDb } from "../../../src/ledger/duckdb.ts";
import type { DuckDb } from "../../../src/ledger/duckdb.ts";

let spillFolder: string;
let duckdb: DuckDb;
beforeAll(async () => {
  spillFolder = await mkdtemp(join(tmpdir(), "duckdb-"));
  duckdb = createDuckDb({ memoryLimit: "64MB", threads: 2, spillFolder });
});
afterAll(async () => {
  await duckdb.close();
  await rm(spillFolder, { recursive: true });
});

const endless = "SELECT count(*) FROM range(100000000000) a WHERE hash(a.range) = 1";

test("a query that is cancelled stops at once with the signal's reason, and hurts nobody else", async () => {
  const controller = new AbortController();
  const running = duckdb.use((session) => session.row(endless), controller.signal);
  const count = "SELECT count(*) FROM range(5000000) WHERE hash(range) % 2 >= 0";
  const before = await duckdb.use((session) => session.row(count)); // by now the endless one runs
  const other = duckdb.use((session) => session.row(count));
  controller.abort(new Error("cancelled by a test"));
  await expect(running).rejects.toThrow("cancelled by a test");
  expect(Number(before[0])).toBe(5_000_000);
  expect(Number((await other)[0])).toBe(5_000_000);
});

test("a failed query says its kind and no value of it", async () => {
  const failing = duckdb.use((session) => session.row("SELECT CAST($id AS INTEGER)", { id: "secret-user" }));
  const error = await failing.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "unexpected", kind: "Conversion" });
  expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain("secret-user");
  expect(error).not.toHaveProperty("cause");
});

test("what exceeds the memory limit spills, and sorts all the same", async () => {
  const rows = "SELECT md5(range::VARCHAR) || md5((range + 1)::VARCHAR) AS id FROM range(1000000)";
  const [count, spilled] = await duckdb.use(async (session) => {
    await session.run(`CREATE TEMP TABLE sorted AS ${rows} ORDER BY id`);
    return session.row("SELECT count(*), (SELECT sum(size) FROM duckdb_temporary_files()) FROM sorted");
  });
  expect(Number(count)).toBe(1_000_000);
  expect(Number(spilled)).toBeGreaterThan(0);
});

test("temporary tables end with the work that made them", async () => {
  await duckdb.use((session) => session.run("CREATE TEMP TABLE mine (id VARCHAR)"));
  await expect(duckdb.use((session) => session.row("SELECT * FROM mine"))).rejects.toMatchObject({
    kind: "Catalog",
  });
});
