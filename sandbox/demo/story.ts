import Table from "cli-table3";
import type { Claim } from "./act.ts";
import { createMeter, type Meter } from "./meter.ts";

const columns = 100;

/** How the demo speaks: to standard output, in lines that are read from top to bottom. */
export interface Story {
  title(text: string): void;
  say(text: string): void;
  /** A command that a reader could type. */
  command(text: string): void;
  claims(claims: readonly Claim[]): void;
  table(head: string[], rows: (string | number)[][]): void;
  /** Shows users as they arrive; a bar on a terminal, now and then a line elsewhere. */
  meter(total: number): Meter;
}

export function createStory(): Story {
  const line = (text = ""): void => void process.stdout.write(`${text}\n`);
  return {
    title: (text) => line(`\n${text}\n${"─".repeat(text.length)}`),
    say: (text) => line(wrapped(text, "  ")),
    command: (text) => line(`  $ ${text}`),
    claims: (claims) => {
      for (const { says, holds } of claims) line(wrapped(`${holds ? "✓" : "✗"} ${says}`, "  "));
    },
    table: (head, rows) => line(indented(drawn(head, rows))),
    meter: (total) => createMeter(total, line),
  };
}

/** Breaks lines between words; an unbroken text longer than a line stays whole. */
function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  let current = "";
  for (const word of text.split(/\s+/)) {
    if (current && indent.length + current.length + 1 + word.length > columns) {
      lines.push(current);
      current = word;
    } else {
      current = current ? `${current} ${word}` : word;
    }
  }
  return indented([...lines, current].join("\n"), indent);
}

function indented(text: string, indent = "  "): string {
  return text
    .split("\n")
    .map((each) => indent + each)
    .join("\n");
}

function drawn(head: string[], rows: (string | number)[][]): string {
  const isNumber = (column: number) => rows.some((row) => typeof row[column] === "number");
  const table = new Table({
    head,
    colAligns: head.map((_, column) => (isNumber(column) ? "right" : "left")),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => row.map((cell) => (typeof cell === "number" ? count(cell) : cell))));
  return table.toString();
}

/** `50,000`, whatever the machine's locale. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}
