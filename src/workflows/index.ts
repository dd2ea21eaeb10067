export { connector } from "./connector.ts";
export { syncRun } from "./sync-run.ts";
