import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startStack, type Stack } from "../../sandbox/stack.ts";
import { freePort } from "../../sandbox/temporal/free-port.ts";
import { searchAttributes } from "../../src/contracts/temporal-names.ts";

let dir: string;
let stack: Stack;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "segops-braze-test-"));
  stack = await startStack({ dir });
});
afterAll(async () => {
  await stack.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Runs a worker that is to end by itself, its metrics on a port of its own. */
async function refused(env: Record<string, string> = {}): Promise<string> {
  const { code, output } = await stack.run(["worker"], {
    METRICS_ADDRESS: `127.0.0.1:${await freePort()}`,
    ...env,
  });
  expect(code).toBe(1);
  return output;
}

/** Lines that begin with a variable's name. */
function namedIn(output: string): string[] {
  return [...output.matchAll(/^\s*([A-Z][A-Z_]+):/gm)].map(([, name]) => name ?? "");
}

test("a worker whose environment is wrong stops at start and lists every problem at once, each by its variable", async () => {
  const wrong = {
    STORAGE_URL: "ftp://somewhere",
    SEGOPS_API_URL: "not an address",
    ALLOWED_BRAZE_ORIGINS: "http://127.0.0.1:9797/path",
    METRICS_ADDRESS: "9464",
    LOG_LEVEL: "loud",
    DUCKDB_MEMORY_LIMIT: "plenty",
    DELIVER_WORKERS: "0",
    QUIET_WINDOW_SECONDS: "soon",
    RECONCILE_INTERVAL_SECONDS: "-1",
    PART_SECONDS: "1.5",
    SEALING_KEYS_FILE: join(dir, "no-such-file.json"),
    SEGOPS_API_KEYS_FILE: "",
  };
  expect(namedIn(await refused(wrong)).sort()).toEqual(
    ["SEGOPS_API_KEY", ...Object.keys(wrong).filter((name) => name !== "SEGOPS_API_KEYS_FILE")].sort(),
  );
});

test("key files that are missing or hold something else are told at once, without what they hold", async () => {
  const file = join(dir, "not-keys.json");
  await writeFile(file, JSON.stringify(["sk_canary_in_the_file"]));
  const { code, output } = await stack.run(["worker"], {
    SEALING_KEYS_FILE: file,
    SEGOPS_API_KEYS_FILE: file,
  });
  expect(code).toBe(1);
  expect(namedIn(output).sort()).toEqual(["SEALING_KEYS_FILE", "SEGOPS_API_KEYS_FILE"]);
  expect(output).not.toContain("canary");
});

test("a worker in a namespace without the search attributes says to run setup, and after setup it starts", async () => {
  const output = await refused();
  expect(namedIn(output)).toEqual(["TEMPORAL_NAMESPACE"]);
  expect(output).toContain("segops-braze setup");
  for (const { name } of Object.values(searchAttributes)) expect(output).toContain(name);

  expect((await stack.run(["setup"])).code).toBe(0);
  expect(await stack.run(["setup"])).toMatchObject({ code: 0 });
  const worker = await stack.startWorker();
  expect(worker.ready).toMatchObject({ ready: true, namespace: "default" });
  expect(await worker.stop()).toBe(0);
});

test("a worker that cannot reach Temporal, or cannot serve its metrics, says which address is at fault and ends", async () => {
  const unreachable = await refused({ TEMPORAL_ADDRESS: "127.0.0.1:1" });
  expect(namedIn(unreachable)).toEqual(["TEMPORAL_ADDRESS"]);
  expect(unreachable).toContain("127.0.0.1:1");
  const taken = await refused({ METRICS_ADDRESS: stack.temporal.address });
  expect(namedIn(taken)).toEqual(["METRICS_ADDRESS"]);
  expect(taken).toContain("in use");
});
