/** What is recorded of every version, each in a folder of this name. A missing one fails the replay tests. */
export const scenarioNames = [
  "first-load",
  "delta-with-subscription-group",
  "no-change",
  "braze-failing-then-recovering",
  "key-rejected",
  "configuration-change",
  "deactivated-in-mid-run",
  "run-terminated",
  "worker-killed",
  "continue-as-new",
  "history-ends-in-mid-run",
  "read-back",
] as const;
export type ScenarioName = (typeof scenarioNames)[number];
