import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { statusMoves } from "../../../src/workflows/connector-status.ts";

const page = readFileSync(new URL("../../../ARCHITECTURE.md", import.meta.url), "utf8");

test("the diagram in ARCHITECTURE.md shows exactly the moves that the code makes", () => {
  const drawn = [...page.matchAll(/^ +(\w+) --> (\w+): (\w+)$/gm)].map(
    ([, from, to, event]) => `${from} ${event} ${to}`,
  );
  const made = Object.entries(statusMoves).flatMap(([from, moves]) =>
    Object.entries(moves).map(([event, to]) => `${from} ${event} ${to}`),
  );
  expect(drawn.toSorted()).toEqual(made.toSorted());
});
