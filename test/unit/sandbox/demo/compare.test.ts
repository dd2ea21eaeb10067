import { describe, expect, test } from "vitest";
import { compareMembers } from "../../../../sandbox/demo/compare.ts";

const nobody: ReadonlySet<string> = new Set();

describe("comparing Braze with SegOps", () => {
  test("equal memberships differ nowhere, and every member is counted", async () => {
    const ids = ["a", "b", "c"];
    expect(await compareMembers(ids, ids, nobody)).toEqual({
      same: 3,
      rejected: [],
      differing: 0,
      examples: [],
    });
  });

  test("a member whom Braze lacks and a stranger whom it holds are both found, wherever they stand", async () => {
    const { same, differing, examples } = await compareMembers(
      ["a", "b", "d", "f"],
      ["b", "c", "d", "g"],
      nobody,
    );
    expect({ same, differing }).toEqual({ same: 2, differing: 4 });
    expect(examples).toEqual([
      { userId: "a", what: "missing in Braze" },
      { userId: "c", what: "in Braze, not in SegOps" },
      { userId: "f", what: "missing in Braze" },
      { userId: "g", what: "in Braze, not in SegOps" },
    ]);
  });

  test("an empty side makes everybody of the other differ", async () => {
    expect((await compareMembers([], ["a", "b"], nobody)).differing).toBe(2);
    expect((await compareMembers(["a", "b"], [], nobody)).differing).toBe(2);
  });

  test("a member whom Braze rejects is listed and does not differ, unless Braze shows it all the same", async () => {
    const rejectable = new Set(["bad", "worse", "elsewhere"]);
    const { same, rejected, differing, examples } = await compareMembers(
      ["bad", "good", "worse"],
      ["good", "worse"],
      rejectable,
    );
    expect({ same, rejected, differing }).toEqual({ same: 1, rejected: ["bad"], differing: 1 });
    expect(examples).toEqual([{ userId: "worse", what: "in Braze, though it should reject it" }]);
  });

  test("ids that look alike and are other bytes differ", async () => {
    const composed = "Zo\u00eb";
    const combining = "Zoe\u0308";
    expect((await compareMembers([combining], [composed], nobody)).differing).toBe(2);
    expect((await compareMembers(["a "], ["a"], nobody)).differing).toBe(2);
  });

  test("members are matched in the order of their UTF-8 bytes, which is not that of UTF-16", async () => {
    const ids = ["a", "\uffee", "\u{1f984}"];
    expect((await compareMembers(ids, ids, nobody)).same).toBe(3);
    const { examples } = await compareMembers(["\uffee", "\u{1f984}"], ["\u{1f984}"], nobody);
    expect(examples).toEqual([{ userId: "\uffee", what: "missing in Braze" }]);
  });

  test("a side out of order or with a repeat is refused: the comparison would prove nothing", async () => {
    await expect(compareMembers(["b", "a"], [], nobody)).rejects.toThrow(/^SegOps did not list/);
    await expect(compareMembers([], ["a", "a"], nobody)).rejects.toThrow(/^Braze did not list/);
  });

  test("of many that differ the first five are shown, and all are counted", async () => {
    const { differing, examples } = await compareMembers(["1", "2", "3", "4", "5", "6"], [], nobody);
    expect(differing).toBe(6);
    expect(examples.map(({ userId }) => userId)).toEqual(["1", "2", "3", "4", "5"]);
  });

  test("both sides are read as they stream in", async () => {
    async function* stream(ids: string[]): AsyncGenerator<string> {
      for (const id of ids) yield await Promise.resolve(id);
    }
    expect((await compareMembers(stream(["a", "b"]), stream(["b", "c"]), nobody)).differing).toBe(2);
  });
});
