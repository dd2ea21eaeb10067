import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tenant } from "../../sandbox/stack-environment.ts";
import { startStage, type Stage } from "../integration/harness.ts";

/** The page as an operator runs it: gateway, worker, Temporal and both stand-ins. */
export interface PageStage {
  stage: Stage;
  /** Where the page is, with a slash at its end. */
  url: string;
  apiKey: string;
  /** Of a tenant that has no connectors. */
  emptyTenantsKey: string;
  /** The last lines that worker and gateway printed, for whoever looks for the cause of a failure. */
  lastWords(): string;
  stop(): Promise<void>;
}

/** Where its own page would be; the tests look at links to it and never follow one. */
export const temporalUiUrl = "http://127.0.0.1:8233";

export async function startPageStage(): Promise<PageStage> {
  // A part reports when its time is over: often enough to see a slow run move.
  const stage = await startStage({ env: { PART_SECONDS: "3" }, answerTimeoutMs: 60_000 });
  try {
    const [apiKey, emptyTenantsKey] = ["sk_test_0123456789abcdef", "sk_test_fedcba9876543210"];
    const keysFile = join(stage.dir, "gateway-keys.json");
    await writeFile(keysFile, JSON.stringify({ [tenant]: [apiKey], empty: [emptyTenantsKey] }));
    const [gateway, worker] = await Promise.all([
      stage.stack.start("gateway", ["api"], {
        HTTP_PORT: "0",
        GATEWAY_API_KEYS_FILE: keysFile,
        TEMPORAL_UI_URL: temporalUiUrl,
      }),
      stage.startWorker(),
    ]);
    return {
      stage,
      url: `${gateway.url}/`,
      apiKey,
      emptyTenantsKey,
      lastWords: () => [...worker.output().slice(-25), ...gateway.output().slice(-10)].join("\n"),
      stop: () => stage.stop(),
    };
  } catch (error) {
    await stage.stop();
    throw error;
  }
}
