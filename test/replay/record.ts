// `npm run record`: plays every scenario with real parts and keeps the histories, in the folder of package.json's version.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { archiveDir, currentVersion } from "./archive.ts";
import { exportByCommandLine, fetchHistories, type RecordedHistories } from "./fetch-histories.ts";
import { RecordedConnector } from "./recorded-connector.ts";
import { openRecordingStage, type RecordingStage } from "./recording-stage.ts";
import { scenarioNames, type ScenarioName } from "./scenario-names.ts";
import { scenarios } from "./scenarios.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const target = join(archiveDir, currentVersion);
const longestMs = 240_000;

process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
const unfinished = new Set<ScenarioName>(scenarioNames);
setTimeout(() => {
  fail(`recording did not end within ${longestMs / 1000} s; unfinished: ${[...unfinished].join(", ")}`);
}, longestMs).unref();

refuseToOverwrite(process.argv.includes("--unreleased"));
const dir = mkdtempSync(join(tmpdir(), "segops-braze-record-"));
process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
const recorded = await record(join(dir, "stack")).catch((error: Error) =>
  fail(`${error.message}\nThe worker said last:\n${lastLines(join(dir, "stack", "worker.log"))}`),
);
refuseTraces(recorded);
keep(recorded);

/** A released version's histories are what its users' workflows look like for ever. */
function refuseToOverwrite(isUnreleasedSaid: boolean): void {
  if (!existsSync(target)) return;
  if (isReleased())
    fail(
      `${currentVersion} is released: its histories are never recorded anew. Raise the version in package.json.`,
    );
  if (!isUnreleasedSaid)
    fail(`${currentVersion} is recorded. While it is unreleased: npm run record -- --unreleased`);
}

function isReleased(): boolean {
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const heading = changelog.split("\n").some((line) => {
    const [, version] = /^## \[?v?([^\]\s]+)/.exec(line) ?? [];
    return version === currentVersion;
  });
  return heading || tags().includes(`v${currentVersion}`);
}

/** None outside a checkout. */
function tags(): string[] {
  try {
    return execFileSync("git", ["tag"], { cwd: root, encoding: "utf8", stdio: "pipe" }).split("\n");
  } catch {
    return [];
  }
}

async function record(stackDir: string): Promise<Map<ScenarioName, RecordedHistories>> {
  const stage = await openRecordingStage(stackDir);
  const recorded = new Map<ScenarioName, RecordedHistories>();
  const play = async (name: ScenarioName) => recorded.set(name, await playScenario(stage, name));
  try {
    await stage.startWorker();
    const ownWorker: ScenarioName[] = ["worker-killed", "continue-as-new", "history-ends-in-mid-run"];
    await Promise.all(scenarioNames.filter((name) => !ownWorker.includes(name)).map(play));
    await play("worker-killed");
    await stage.stopWorker();
    await stage.startWorker({ CONTINUE_AS_NEW_AFTER_RUNS: "2" });
    await play("continue-as-new");
    await stage.stopWorker();
    await stage.startWorker({ CONTINUE_AS_NEW_AFTER_EVENTS: "100" });
    await play("history-ends-in-mid-run");
    return recorded;
  } finally {
    await stage.close();
  }
}

async function playScenario(stage: RecordingStage, name: ScenarioName): Promise<RecordedHistories> {
  const started = Date.now();
  const connector = new RecordedConnector(stage, scenarioNames.indexOf(name) + 1);
  await scenarios[name](connector);
  const histories = await fetchHistories(connector);
  if (name === "first-load")
    for (const [file, text] of await exportByCommandLine(connector)) histories.set(file, text);
  unfinished.delete(name);
  console.log(`${name}: ${histories.size} histories in ${Math.round((Date.now() - started) / 1000)} s`);
  return histories;
}

/** Nothing is edited afterwards, so what must not be archived must not be there: this machine's name and its paths. */
function refuseTraces(recorded: Map<ScenarioName, RecordedHistories>): void {
  const traces = [root, homedir(), tmpdir(), `@${hostname()}`].map((trace) => trace.replace(/(?<=.)\/$/, ""));
  for (const [scenario, histories] of recorded)
    for (const [file, text] of histories) {
      const found = traces.find((trace) => text.includes(trace));
      if (found) fail(`${scenario}/${file} tells of this machine: ${found}`);
    }
}

function keep(recorded: Map<ScenarioName, RecordedHistories>): void {
  rmSync(target, { recursive: true, force: true });
  for (const [scenario, histories] of recorded) {
    mkdirSync(join(target, scenario), { recursive: true });
    for (const [file, text] of histories) writeFileSync(join(target, scenario, file), text);
  }
  console.log(`recorded ${currentVersion} in test/replay/histories/${currentVersion}`);
}

function lastLines(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(-10).join("\n") : "nothing";
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
