import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DeterminismViolationError } from "@temporalio/workflow";
import { afterAll, describe, expect, test } from "vitest";
import { currentVersion, readArchive } from "./archive.ts";
import { bundleWorkflows, replay } from "./replayer.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const histories = readArchive().filter(({ version }) => version === currentVersion);
const folders: string[] = [];

interface Mutation {
  what: string;
  /** In `src/`. */
  file: string;
  from: string;
  to: string;
  /** One history, of `<scenario>/<file>`, that must not replay any more. */
  breaks: string;
}

const mutations: Mutation[] = [
  {
    what: "one activity instead of another",
    file: "workflows/sync-run.ts",
    from: `"trackEntered",\n`,
    to: `"unsetExited",\n`,
    breaks: "first-load/syncRun-1.json",
  },
  {
    what: "a timer more",
    file: "workflows/sync-run.ts",
    from: `this.enter("committing");`,
    to: `this.enter("committing"); await sleep(1000);`,
    breaks: "no-change/syncRun-2.json",
  },
  {
    what: "no pause between two executions of a part",
    file: "workflows/sync-run.ts",
    from: "await sleep(pauseMs)",
    to: "await Promise.resolve()",
    breaks: "braze-failing-then-recovering/syncRun-1.json",
  },
  {
    what: "an activity that is called no more",
    file: "workflows/connector.ts",
    from: "await source.lookAtSegment({ key: this.#key, storageId })",
    to: "await Promise.resolve(null)",
    breaks: "first-load/connector-1.json",
  },
  {
    what: "child workflows of other ids",
    file: "contracts/connector-id.ts",
    from: "/run/${number}`",
    to: "/pass/${number}`",
    breaks: "first-load/connector-1.json",
  },
  {
    what: "continue-as-new at another time",
    file: "workflows/connector-step.ts",
    from: "state.runsHere >= state.runsPerHistory",
    to: "state.runsHere > state.runsPerHistory",
    breaks: "continue-as-new/connector-1.json",
  },
];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe("replay of this version's histories", () => {
  test("passes with a copy of the workflows that nobody changed", async () => {
    const failed = await replay(await bundleCopy(), histories);
    expect([...failed.keys()]).toEqual([]);
  });

  test.each(mutations)("turns red for $what", async (mutation) => {
    const broken = histories.filter(({ name }) => name.endsWith(mutation.breaks));
    const failed = await replay(await bundleCopy(mutation), broken);
    expect([...failed.keys()]).toEqual([`${currentVersion}/${mutation.breaks}`]);
    expect([...failed.values()][0]).toBeInstanceOf(DeterminismViolationError);
  });
});

/** Bundles the workflows from a folder of their own, with one place changed. */
async function bundleCopy(mutation?: Mutation): Promise<{ code: string }> {
  const folder = mkdtempSync(join(tmpdir(), "segops-braze-replay-"));
  folders.push(folder);
  for (const part of ["workflows", "contracts"])
    cpSync(join(root, "src", part), join(folder, "src", part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  if (mutation) mutate(join(folder, "src", mutation.file), mutation);
  return await bundleWorkflows(join(folder, "src/workflows/index.ts"));
}

/** A mutation whose place is gone would prove nothing. */
function mutate(file: string, { what, from, to }: Mutation): void {
  const [before, after, ...others] = readFileSync(file, "utf8").split(from);
  if (after === undefined || others.length > 0)
    throw new Error(`"${what}" must be put anew: ${JSON.stringify(from)} is not once in ${file}`);
  writeFileSync(file, before + to + after);
}
