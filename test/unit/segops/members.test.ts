import { describe, expect, test } from "vitest";
import { noSignal, segment7, segopsAt, serve } from "./local-segops.ts";
import type { Script } from "./local-segops.ts";

async function walk(script: Script, maxItems = 100): Promise<{ pages: unknown[]; urls: string[] }> {
  const { url, seen } = await serve(script);
  const pages: unknown[] = [];
  for await (const page of segopsAt(url).members(segment7, maxItems, noSignal)) pages.push(page);
  return { pages, urls: seen.map((request) => request.url) };
}

describe("the pages of members", () => {
  test("follow next_cursor to its null, a thousand at a time", async () => {
    const cursors = ["c=/1", "c2", null];
    const { pages, urls } = await walk((_, __, nth) => ({
      results: [{ user_id: `u${nth}` }],
      next_cursor: cursors[nth - 1],
    }));
    expect(pages).toEqual([["u1"], ["u2"], ["u3"]]);
    expect(urls).toEqual([
      "/api/segments/7/members/?limit=1000",
      "/api/segments/7/members/?limit=1000&cursor=c%3D%2F1",
      "/api/segments/7/members/?limit=1000&cursor=c2",
    ]);
  });

  test("follow the page-number envelope until next is empty", async () => {
    const { pages, urls } = await walk((_, __, nth) => ({
      count: 3,
      next: nth < 3 ? `http://elsewhere.example/?page=${nth + 1}` : null,
      previous: null,
      results: [`u${nth}`],
    }));
    expect(pages).toEqual([["u1"], ["u2"], ["u3"]]);
    expect(urls.slice(1)).toEqual([
      "/api/segments/7/members/?limit=1000&page=2",
      "/api/segments/7/members/?limit=1000&page=3",
    ]);
  });

  test.each([
    ["results", { results: ["a"] }],
    ["members", { members: ["a"] }],
    ["items", { items: ["a"] }],
    ["data", { data: ["a"] }],
    ["a bare array", ["a"]],
  ])("are read from %s", async (_, body) => {
    expect((await walk(() => body)).pages).toEqual([["a"]]);
  });

  test("give every id as it came, and what is none as it is", async () => {
    const items = [
      "",
      " a ",
      "a+b%@x",
      "\ud83d\ude00",
      "\ud800",
      { user_id: "b" },
      { user_id: 7 },
      { user_id: null },
      42,
      null,
      {},
    ];
    const ids = ["", " a ", "a+b%@x", "\ud83d\ude00", "\ud800", "b", 7, null, 42, null, {}];
    expect((await walk(() => ({ results: items }))).pages).toEqual([ids]);
  });

  test.each<[string, Script, string]>([
    ["a cursor comes twice", () => ({ results: ["a"], next_cursor: "again" }), "was given before"],
    ["pages never end", (_, __, nth) => ({ results: ["a"], next_cursor: `c${nth}` }), "past 100 items"],
    ["empty pages never end", () => ({ results: [], next: "more" }), "past 100 items"],
    ["a page holds no list", () => ({ detail: "hello" }), "holds no list"],
    ["a page is null", () => null, "holds no list"],
  ])("are refused as unverified where %s", async (_, script, words) => {
    await expect(walk(script)).rejects.toMatchObject({
      code: "snapshot_unverified",
      detail: expect.stringContaining(words),
    });
  });
});
