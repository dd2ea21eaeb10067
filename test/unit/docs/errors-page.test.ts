import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { clientErrors } from "../../../src/client/client-error.ts";
import { errorTable } from "../../../src/contracts/errors.ts";

const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf("\n")), section.replaceAll(/\s+/g, " ")] as const),
);

test("every code of the table has its heading on the page, and every heading its code", () => {
  expect([...sections.keys()].toSorted()).toEqual(Object.keys(errorTable).toSorted());
});

test.each(Object.entries(errorTable))(
  "%s: the page says its kind, status, words and remedy",
  (code, entry) => {
    const section = sections.get(code) ?? "";
    const message = entry.message[0]?.toUpperCase() + entry.message.slice(1);
    expect(section).toContain(`**${entry.kind}**, HTTP ${entry.status}. ${message}.`);
    expect(section).toContain(entry.remedy);
  },
);

test.each(Object.entries(clientErrors))("%s: the page has the client's row for it", (code, entry) => {
  expect(page).toContain(`| \`${code}\` | ${entry.status} | ${entry.message} | ${entry.remedy} |`);
});
