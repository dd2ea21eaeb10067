import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readArchive } from "./archive.ts";
import { bundleWorkflows, replay } from "./replayer.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const archive = readArchive();

test("every history of every version replays with today's workflows", async () => {
  const bundle = await bundleWorkflows(join(root, "src/workflows/index.ts"));
  const failed = await replay(bundle, archive);
  expect([...failed].map(([name, error]) => `${name}: ${error.message}`)).toEqual([]);
  expect(archive.length).toBeGreaterThan(0);
});

test("an export by Temporal's own command line is read as the same history", () => {
  const exports = archive.filter(({ name }) => name.endsWith(".cli.json"));
  expect(exports.length).toBeGreaterThan(0);
  for (const { name, history } of exports) {
    const recorded = archive.find((one) => one.name === name.replace(".cli.json", ".json"));
    expect(history).toEqual(recorded?.history);
  }
});

// The SDK's packages ask whether a protobuf type is an instance of a class: a second copy has another class, and no JSON
// history can be read any more.
test("one protobufjs 8 is installed, shared by all of Temporal's packages", () => {
  const copies = npm("ls", "protobufjs", "--all", "--parseable")
    .split("\n")
    .filter(Boolean)
    .filter((folder) => versionIn(folder).startsWith("8."));
  expect(copies).toEqual([join(root, "node_modules/protobufjs")]);
});

function npm(...args: string[]): string {
  return execFileSync("npm", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

function versionIn(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version;
}
