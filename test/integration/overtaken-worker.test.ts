import { afterAll, beforeAll, expect, test } from "vitest";
import type { Process } from "../../sandbox/process.ts";
import { startCuttableProxy, type CuttableProxy } from "./cuttable-proxy.ts";
import { startStage, type Stage } from "./harness.ts";
import { overtake, partSeconds } from "./overtaken-parts.ts";

/** `FROZEN_TRIES=50` gives the figure of docs/reliability.md. */
const frozenTries = Number(process.env["FROZEN_TRIES"] ?? 10);
/** One worker has room for 32 parts. */
const atOnce = 25;

const nothingWrong = { late: 0, olderAfterNewer: 0, notTurned: 0, differing: 0 };

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({ env: { PART_SECONDS: String(partSeconds), DUCKDB_THREADS: "1" } });
});
afterAll(() => stage.stop());

/** A worker whose way to Temporal can be cut. */
async function startCuttable(env: Record<string, string> = {}): Promise<[Process, CuttableProxy]> {
  const proxy = await startCuttableProxy(stage.stack.temporal.port);
  return [await stage.startWorker({ TEMPORAL_ADDRESS: proxy.address, ...env }), proxy];
}

test(
  "a worker frozen beyond its parts' deadline, while the opposite is sent, writes nothing when it wakes",
  async () => {
    let tries = 0;
    // Some part may end at the very moment: it is no try, and another is made for it.
    while (tries < frozenTries) {
      const [worker, proxy] = await startCuttable();
      const { other, ...found } = await overtake({
        stage,
        worker,
        connectors: Math.min(atOnce, frozenTries - tries),
        windowMs: 0,
        // As with a suspended machine, the server sees its connections go. It would else hand a dozen tasks to the sleeper
        // and take each back after 10 to 60 s; the chaos suite has that.
        strike: () => [worker.pause(), proxy.cut()],
        release: () => [proxy.mend(), worker.resume()],
        startOther: () => stage.startWorker(),
      });
      console.log(`frozen in mid-part: ${JSON.stringify(found)}`);
      expect(found).toMatchObject(nothingWrong);
      tries += found.tries;
      // It was alive all the time, and ends in order.
      expect(await worker.stop()).toBe(0);
      await other.stop();
      await proxy.close();
    }
    expect(tries).toBeGreaterThanOrEqual(frozenTries);
  },
  60_000 + frozenTries * 8_000,
);

test("a worker cut off from Temporal, but not from Braze, stops at its parts' deadline, and what overtakes it stays", async () => {
  // Until its deadline it may send, and Braze applies in any order: that is what the window is for.
  const windowSeconds = partSeconds + 2;
  const window = { QUIET_WINDOW_SECONDS: String(windowSeconds) };
  const [worker, proxy] = await startCuttable(window);
  const { other, ...found } = await overtake({
    stage,
    worker,
    connectors: 10,
    windowMs: windowSeconds * 1000,
    strike: () => proxy.cut(),
    release: () => proxy.mend(),
    startOther: () => stage.startWorker(window),
  });
  console.log(`cut off in mid-part: ${JSON.stringify(found)}, ${proxy.refused()} connections refused`);
  expect(found).toMatchObject(nothingWrong);
  expect(found.tries).toBeGreaterThan(5);
  // It did go on for as long as it might.
  expect(found.afterStrike).toBeGreaterThan(0);
  expect(proxy.refused()).toBeGreaterThan(0);
  await Promise.all([worker.stop(), other.stop()]);
  await proxy.close();
});
