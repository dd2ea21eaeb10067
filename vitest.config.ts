import { defineConfig } from "vitest/config";

// One project per kind of test, so that each can be run alone: `npx vitest --project unit`. One kind after the other: the
// integration tests run workers and servers of their own and would starve the others on two cores.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "replay",
          include: ["test/replay/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 120_000,
          // A stage's processes may take 90 s each to be ready, one after the other.
          hookTimeout: 240_000,
          // They mostly wait: for heartbeats to time out, windows to pass, processes to start.
          maxWorkers: 3,
          // Real servers, processes and kills on shared machines: a stall of the machine's own is told from a fault by a second try.
          retry: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          globalSetup: ["test/browser/global-setup.ts"],
          // Each wait inside gives up by itself, and says for what; these only end what hangs.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 1,
          retry: 1,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
