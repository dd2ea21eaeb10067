import { describe, expect, test } from "vitest";
import { ODD_IDS, idsOf, sortedByUtf8, useSegops } from "./segops-fixture.ts";

const segops = useSegops();

describe("paging by cursor", () => {
  test("hands out every member once, byte for byte, and ends with a null cursor", async () => {
    await segops().control.putSegment("acme", 7, { members: ODD_IDS });
    await segops().control.recompute("acme", 7);
    const pages = await segops().walk(5);
    expect(pages.map((page) => page.results.length)).toEqual([5, 5, 5, 3]);
    expect(pages.at(-1)?.next_cursor).toBeNull();
    expect(sortedByUtf8(idsOf(pages))).toEqual(sortedByUtf8(ODD_IDS));
  });

  test("cuts a limit to the largest allowed", async () => {
    await segops().control.putSegment("acme", 7, { generate: { count: 1500, prefix: "u" } });
    await segops().control.recompute("acme", 7);
    expect((await segops().walk(9999)).map((page) => page.results.length)).toEqual([1000, 500]);
    await segops().control.putSegment("acme", 7, { options: { maxLimit: 700 } });
    expect((await segops().walk(9999)).map((page) => page.results.length)).toEqual([700, 700, 100]);
  });

  test("a segment without members is one empty page", async () => {
    await segops().control.recompute("acme", 7);
    expect(await segops().walk(10)).toEqual([{ results: [], next_cursor: null }]);
  });

  test("refuses a cursor that it did not make", async () => {
    expect((await segops().fetch("/api/segments/7/members/?cursor=made-up")).status).toBe(400);
  });

  test("goes on in whatever is published then, so that a walk across a recompute is torn", async () => {
    await segops().control.putSegment("acme", 7, { members: ["a", "b", "c", "d"] });
    await segops().control.recompute("acme", 7);
    const [first] = await segops().walk(2, 1);
    await segops().control.putSegment("acme", 7, { members: ["v", "w", "x", "y"] });
    await segops().control.recompute("acme", 7);
    const rest = await segops().json(`/api/segments/7/members/?limit=2&cursor=${first?.next_cursor}`);
    expect(rest).toEqual({ results: [{ user_id: "x" }, { user_id: "y" }], next_cursor: null });
  });
});

describe("the shape of a page", () => {
  test.each(["results", "members", "items", "data"] as const)(
    "names its array %s when told to",
    async (arrayName) => {
      const options = { arrayName, itemShape: "string" } as const;
      await segops().control.putSegment("acme", 7, { members: ["a"], options });
      await segops().control.recompute("acme", 7);
      expect(await segops().json("/api/segments/7/members/")).toEqual({
        [arrayName]: ["a"],
        next_cursor: null,
      });
    },
  );

  test("comes as numbered pages with links that lead through all of them", async () => {
    await segops().control.putSegment("acme", 7, {
      members: ["a", "b", "c"],
      options: { paging: "page", maxLimit: 2 },
    });
    await segops().control.recompute("acme", 7);
    const base = `${segops().url}/api/segments/7/members/`;
    expect(await segops().json("/api/segments/7/members/")).toEqual({
      count: 3,
      next: `${base}?page=2`,
      previous: null,
      results: [{ user_id: "a" }, { user_id: "b" }],
    });
    expect(await segops().json("/api/segments/7/members/?page=2")).toEqual({
      count: 3,
      next: null,
      previous: `${base}?page=1`,
      results: [{ user_id: "c" }],
    });
  });
});
