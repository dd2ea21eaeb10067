import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createDuckDb } from "../../../src/ledger/duckdb.ts";
import { byBytes } from "../../model/byte-order.ts";
import { folder, oddIds, openLedgerWorld } from "./ledger-world.ts";
import type { LedgerWorld } from "./ledger-world.ts";

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

function newBuilder() {
  const builder = world.ledger.createSnapshot();
  onTestFinished(() => builder.discard());
  return builder;
}

async function idsOf(localPath: string): Promise<unknown[]> {
  return (await world.rowsOf(localPath)).map((row) => row["user_id"]);
}

function scratchFile(name: string): string {
  return join(world.root, name);
}

async function sql(...statements: string[]): Promise<void> {
  const duckdb = createDuckDb({ memoryLimit: "256MB", threads: 2, spillFolder: scratchFile("spill") });
  for (const statement of statements) await duckdb.use((session) => session.run(statement));
  await duckdb.close();
}

describe("a snapshot", () => {
  test("holds each id once, byte for byte and in byte order, however the pages repeat and mix them", async () => {
    const builder = newBuilder();
    await builder.addIds(oddIds.toReversed());
    await builder.addIds(oddIds);
    const built = await builder.finish();
    expect(await idsOf(built.localPath)).toEqual(oddIds.toSorted(byBytes));
    expect(built).toMatchObject({ rows: oddIds.length, distinctReceived: oddIds.length });
    expect(built.dropped).toEqual({ empty: 0, ill_formed: 0, not_string: 0, duplicate: oddIds.length });
  });

  test("counts by reason whatever it drops, and among what it received the strings that it dropped", async () => {
    const builder = newBuilder();
    await builder.addIds([
      "",
      "a",
      7,
      null,
      undefined,
      { user_id: "a" },
      "",
      "half \uD800",
      "half \uD801",
      "a",
    ]);
    const built = await builder.finish();
    expect(built).toMatchObject({ rows: 1, distinctReceived: 4 });
    expect(built.dropped).toEqual({ empty: 2, ill_formed: 2, not_string: 4, duplicate: 1 });
  });

  test("keeps ids that are too long for Braze: SegOps says that they are members", async () => {
    const builder = newBuilder();
    await builder.addIds(["x".repeat(988)]);
    expect(await idsOf((await builder.finish()).localPath)).toEqual(["x".repeat(988)]);
  });

  test("of nobody is a file with no rows", async () => {
    const built = await newBuilder().finish();
    expect(built).toMatchObject({ rows: 0, distinctReceived: 0 });
    expect(await idsOf(built.localPath)).toEqual([]);
  });

  test("of one set has the same bytes, whether it was paged or exported, in any order, on any number of threads", async () => {
    const ids = Array.from({ length: 300_000 }, (_, index) => `user-${(index * 7919) % 300_000}`);
    const paged = newBuilder();
    for (let from = 0; from < ids.length; from += 1000) await paged.addIds(ids.slice(from, from + 1000));
    const path = scratchFile("export.parquet");
    await sql(
      `COPY (SELECT 'user-' || range AS user_id, now() AS computed_at FROM range(299999, -1, -1)) TO '${path}' (FORMAT parquet)`,
    );
    const other = await openLedgerWorld(1);
    onTestFinished(() => other.close());
    const exported = other.ledger.createSnapshot();
    await exported.addExport(path, "parquet");
    const [one, two] = [await paged.finish(), await exported.finish()];
    expect(two.rows).toBe(300_000);
    expect(await sha256(one.localPath)).toBe(await sha256(two.localPath));
  });

  test("that equals the previous one is the previous one: nothing is stored", async () => {
    const first = await world.snapshot(["a", "b"]);
    const second = await world.snapshot(["b", "a", "b"], first);
    const other = await world.snapshot(["a", "c"], first);
    expect(second).toEqual(first);
    expect(other.key).not.toBe(first.key);
    const keys = [];
    for await (const key of world.storage.list(`${folder}snapshots/`)) keys.push(key);
    expect(keys.toSorted()).toEqual([first.key, other.key].toSorted());
    expect(first.key).toMatch(/^connectors\/acme\/7\/snapshots\/20260502T143200Z-[0-9a-f]{12}\.parquet$/);
  });

  test("leaves nothing in scratch once it is discarded, also when its source could not be read", async () => {
    await writeFile(scratchFile("torn.parquet"), "PAR1 and no more");
    const builder = world.ledger.createSnapshot();
    await builder.addIds(["a"]);
    await expect(builder.addExport(scratchFile("torn.parquet"), "parquet")).rejects.toMatchObject({
      code: "snapshot_unverified",
    });
    await builder.discard();
    await builder.discard();
    expect(await world.leftovers()).toEqual([]);
  });
});

describe("an export", () => {
  test("in Parquet is read byte for byte, also where its text is not marked as text", async () => {
    const path = scratchFile("blobs.parquet");
    const literals = oddIds.map((id) => `from_hex('${Buffer.from(id).toString("hex")}')`);
    await sql(`COPY (SELECT unnest([${literals.join(", ")}]) AS user_id) TO '${path}' (FORMAT parquet)`);
    const builder = newBuilder();
    await builder.addExport(path, "parquet");
    expect(await idsOf((await builder.finish()).localPath)).toEqual(oddIds.toSorted(byBytes));
  });

  test("in Parquet counts NULL as no string and an empty id as empty", async () => {
    const path = scratchFile("nulls.parquet");
    await sql(`COPY (SELECT unnest(['a', NULL, '', NULL]) AS user_id) TO '${path}' (FORMAT parquet)`);
    const builder = newBuilder();
    await builder.addExport(path, "parquet");
    const built = await builder.finish();
    expect(built.dropped).toEqual({ empty: 1, ill_formed: 0, not_string: 2, duplicate: 0 });
    expect(built).toMatchObject({ rows: 1, distinctReceived: 2 });
  });

  test.each([
    ["whose ids are numbers", "SELECT 7 AS user_id"],
    ["without a user_id", "SELECT 'a' AS id"],
    ["with bytes that are no text", "SELECT from_hex('ff00') AS user_id"],
  ])("in Parquet %s is snapshot_unverified, and its values are in no message", async (_, query) => {
    const path = scratchFile(`bad-${createHash("sha1").update(query).digest("hex")}.parquet`);
    await sql(`COPY (${query}) TO '${path}' (FORMAT parquet)`);
    const error = await newBuilder()
      .addExport(path, "parquet")
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "snapshot_unverified" });
    expect(error).not.toHaveProperty("cause");
    expect(String(error)).not.toContain(world.root);
  });

  // What RFC 4180 can carry. NUL is not among it.
  const csvIds = oddIds.filter((id) => !id.includes("\0") && !id.startsWith("\uFEFF"));
  const quoted = (id: string) => `"${id.replaceAll('"', '""')}"`;

  test.each([
    ["with a header", "user_id,computed_at\r\n", ["", "2026"]],
    [
      "with a quoted header in another order and a byte order mark",
      '\uFEFF"computed_at","user_id"\r\n',
      ["2026", ""],
    ],
    ["without a header", "", ["", "2026"]],
  ])("in CSV %s is read byte for byte", async (name, header, columns) => {
    const path = scratchFile(`${name.replaceAll(" ", "-")}.csv`);
    const record = (id: string) => columns.map((value) => value || quoted(id)).join(",");
    await writeFile(path, header + csvIds.map((id) => `${record(id)}\r\n`).join(""));
    const builder = newBuilder();
    await builder.addExport(path, "csv");
    expect(await idsOf((await builder.finish()).localPath)).toEqual(csvIds.toSorted(byBytes));
  });

  test("in CSV takes unquoted ids as they stand and counts empty ones, quoted or not", async () => {
    const path = scratchFile("plain.csv");
    await writeFile(path, 'user_id,computed_at\n a b ,1\nNULL,1\n,1\n"",1\nc\'d,1\n');
    const builder = newBuilder();
    await builder.addExport(path, "csv");
    const built = await builder.finish();
    expect(await idsOf(built.localPath)).toEqual([" a b ", "NULL", "c'd"].toSorted(byBytes));
    expect(built.dropped).toEqual({ empty: 2, ill_formed: 0, not_string: 0, duplicate: 0 });
  });

  test.each([
    ["a row of too many columns", "user_id,computed_at\na,1\nb,1,2\n"],
    ["a row of too few columns", "user_id,computed_at\na,1\nb\n"],
    ["a quote that never ends", 'user_id,computed_at\n"a,1\nb,2\n'],
    ["bytes that are no UTF-8", Buffer.from("user_id,computed_at\na\xff,1\n", "latin1")],
    ["a header that names a column twice", "user_id,user_id\na,b\n"],
  ])("in CSV with %s is snapshot_unverified: no row is dropped in silence", async (name, text) => {
    const path = scratchFile(`${name.replaceAll(" ", "-")}.csv`);
    await writeFile(path, text);
    await expect(newBuilder().addExport(path, "csv")).rejects.toMatchObject({ code: "snapshot_unverified" });
  });

  test("in CSV that is empty holds nobody", async () => {
    const path = scratchFile("empty.csv");
    await writeFile(path, "");
    const builder = newBuilder();
    await builder.addExport(path, "csv");
    expect(await builder.finish()).toMatchObject({ rows: 0, distinctReceived: 0 });
  });
});

async function sha256(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}
