// A worker as any other, but for its storage: that fails as the arena says (storage-faults.ts).
import { parseEnvironment } from "../../src/contracts/environment.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import { runWorker } from "../../src/worker.ts";
import { faultyStorage } from "./faulty-storage.ts";
import { StorageFaults } from "./storage-faults.ts";
import { bundlePath } from "./workflow-bundle.ts";

const environment = parseEnvironment(process.env);
const faults = new StorageFaults(environment.STORAGE_URL);

await runWorker(environment, {
  openStorage: async (url) => faultyStorage(await openStorage(url), (key, kinds) => faults.take(key, kinds)),
  workflowBundle: { codePath: bundlePath(environment.STORAGE_URL) },
});
