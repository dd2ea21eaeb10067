import { expect, test } from "vitest";
import { Tally } from "../../chaos/tally.ts";

test("kinds that struck too seldom are named, those that never struck among them", () => {
  const [tally, round] = [new Tally(), new Tally()];
  for (const kind of tally.below(1)) round.add(kind, 10);
  tally.merge(round);
  expect(tally.below(10)).toEqual([]);
  expect(tally.below(11)).toContain("storage disk_full");
  expect(new Tally().below(1)).toContain("worker_killed");
});
