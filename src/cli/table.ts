import Table from "cli-table3";

const bare = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

type Cell = string | number | null;

/** Columns under their heads, numbers to the right; null shows as a dash. No colours and no frames, so that it can be piped. */
export function table(head: string[], rows: Cell[][]): string {
  const isNumber = (_: string, column: number) => rows.some((row) => typeof row[column] === "number");
  const drawn = new Table({
    head,
    chars: bare,
    colAligns: head.map((name, column) => (isNumber(name, column) ? "right" : "left")),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  drawn.push(...rows.map((row) => row.map((cell) => cell ?? "-")));
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
