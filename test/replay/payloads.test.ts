import { expect, test } from "vitest";
import { readArchive } from "./archive.ts";
import { checkPayloads } from "./archived-payloads.ts";
import { activitySchemas, notRecordedYet, signalSchemas, updateSchemas } from "./payload-schemas.ts";

const archive = readArchive();

test.each(archive.map(({ name, text }) => [name, text]))(
  "%s: today's schemas fit every payload",
  (_, text) => {
    const { count, misfits } = checkPayloads(text);
    expect(misfits).toEqual([]);
    expect(count).toBeGreaterThan(0);
  },
);

test("the archive holds calls of every activity, update and signal", () => {
  const texts = archive.map(({ text }) => text).join();
  const names = [activitySchemas, updateSchemas, signalSchemas].flatMap((schemas) => Object.keys(schemas));
  expect(names.filter((name) => !texts.includes(`"${name}"`)).toSorted()).toEqual(notRecordedYet.toSorted());
});

test("a payload of another shape is named, with its event", () => {
  const { text } = archive.find(({ name }) => name.endsWith("first-load/syncRun-1.json")) ?? { text: "" };
  const renamed = withPayloads(text, (json) => json.replace(`"memberCount"`, `"member_count"`));
  expect(checkPayloads(renamed).misfits[0]).toMatch(/^event 7 activityTaskCompleted.*result.*memberCount/s);
});

test("a payload that nothing here is for is named: an archive cannot grow past its schemas", () => {
  const { text } = archive.find(({ name }) => name.endsWith("first-load/syncRun-1.json")) ?? { text: "" };
  const renamed = text.replaceAll('"fetchMembership"', '"fetchEverybody"');
  const { misfits } = checkPayloads(renamed);
  expect(misfits).toHaveLength(2);
  expect(misfits[0]).toContain("no schema here is for");
});

/** The history with each payload's JSON rewritten. */
function withPayloads(text: string, rewrite: (json: string) => string): string {
  return text.replace(/("data": *")([\w+/=]+)"/g, (_, head: string, data: string) => {
    const json = rewrite(Buffer.from(data, "base64").toString());
    return `${head}${Buffer.from(json).toString("base64")}"`;
  });
}
