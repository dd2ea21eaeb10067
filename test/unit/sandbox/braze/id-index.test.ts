import { array, assert, constant, oneof, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { IdIndex } from "../../../../sandbox/braze/id-index.ts";

describe("the index of external ids", () => {
  test("it finds every id it was given and no other, also after it has grown", () => {
    const index = new IdIndex();
    const ids = Array.from({ length: 20_000 }, (_, n) => `user-${n}`);
    const numbers = ids.map((_, n) => n);
    expect(ids.map((id) => [index.find(id), index.add(id)])).toEqual(numbers.map((n) => [undefined, n]));
    expect(ids.map((id) => index.find(id))).toEqual(numbers);
    expect(ids.toReversed().map((id) => index.find(id))).toEqual(numbers.toReversed());
    expect(index.find("user-20000")).toBeUndefined();
    expect(index.count).toBe(20_000);
  });

  test("whatever the ids look like, it behaves as a map does, profiles without id between them", () => {
    const anyId = oneof(string({ unit: "binary" }), constant(null));
    assert(
      property(array(anyId), (sent) => {
        const index = new IdIndex();
        const model = new Map<string | null, number>();
        let created = 0;
        for (const id of sent) {
          const found = id === null ? undefined : index.find(id);
          expect(found).toBe(id === null ? undefined : model.get(id));
          if (found === undefined) model.set(id, created++);
          expect(index.idOf(found ?? index.add(id))).toBe(id);
        }
        expect(index.count).toBe(created);
      }),
    );
  });
});
