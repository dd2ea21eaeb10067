import { afterAll, beforeAll, expect, test } from "vitest";
import { explanationSchema } from "../../../src/contracts/explain.ts";
import { LedgerRuns, minute } from "../ledger/ledger-runs.ts";
import { openLedgerWorld, writeFirstConfig } from "../ledger/ledger-world.ts";
import type { LedgerWorld } from "../ledger/ledger-world.ts";
import { runCli } from "./run-cli.ts";

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
  await writeFirstConfig(world);
  const runs = new LedgerRuns(world);
  await runs.run({ at: 0, members: ["ann", "-bob "] });
  await runs.run({ at: 10, members: ["ann"], ends: "died" });
});
afterAll(() => world.close());

function explain(args: string[], input = "") {
  const env = { STORAGE_URL: `file:${world.root}`, TEMPORAL_ADDRESS: "127.0.0.1:1" };
  return runCli(["connector", "explain", ...args], { env, input });
}

test("explain tells people what is known now and what each run did, without naming the user", async () => {
  const { code, stdout, stderr } = await explain(["acme/7", "--user-id", "-bob "]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("Desired: no, not a member.\n");
  expect(stdout).toMatch(/^attribute:segops_segment_7 +unknown +abandoned +2026/m);
  expect(stdout).toMatch(/^2 +clean +\S+ +no +\S+ +exited +unknown +abandoned +unknown$/m);
  expect(stdout).toMatch(/^1 +clean +\S+ +yes +\S+ +entered +settled +- +present$/m);
  expect(stdout).not.toContain("bob");
});

test("the id may come from standard input, and only the line end is not its own", async () => {
  const { stdout } = await explain(["acme/7", "--user-id", "-", "--json", "--limit", "1"], "-bob \n");
  const told = explanationSchema.parse(JSON.parse(stdout));
  expect(told.runs).toEqual([expect.objectContaining({ number: 2, finished_at: minute(10), member: false })]);
  expect(told.next_before).toBe(2);
  expect(told.now.channels).toEqual([expect.objectContaining({ state: "unknown" })]);
});

test("an empty id is wrong usage, and another connector is not found", async () => {
  expect(await explain(["acme/7", "--user-id", "-"])).toMatchObject({ code: 2, stdout: "" });
  const { code, stderr } = await explain(["acme/8", "--user-id", "ann"]);
  expect(code).toBe(1);
  expect(stderr).toContain("[connector_not_found]");
  expect(stderr).not.toContain("ann");
});
