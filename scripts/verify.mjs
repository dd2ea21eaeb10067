// Everything that CI checks, in one go: every step runs, whatever failed before it, and the last line counts the tests.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const reports = mkdtempSync(join(tmpdir(), "segops-braze-verify-"));
const report = join(reports, "tests.json");

const steps = [
  ["lint", ["run", "--silent", "lint"]],
  ["types", ["run", "--silent", "typecheck"]],
  ["unused code", ["run", "--silent", "unused"]],
  ["tests", ["test", "--", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`]],
  ["chaos", ["run", "--silent", "chaos", "--", "--rounds", "1"]],
  ["demo", ["run", "--silent", "demo"]],
];

const failed = steps.filter(([name, args]) => !passes(name, args)).map(([name]) => name);
const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = readReport();
rmSync(reports, { recursive: true, force: true });

if (failed.length > 0) console.log(`Failed: ${failed.join(", ")}`);
// A step that is no test counts as one when it fails, so that the closing line cannot look green.
const failures = numFailedTests + failed.filter((name) => name !== "tests" || numFailedTests === 0).length;
console.log(`${numPassedTests} passed, ${failures} failed, ${numPendingTests + numTodoTests} skipped`);
process.exit(failed.length > 0 || numPassedTests === 0 ? 1 : 0);

function passes(name, args) {
  const started = Date.now();
  console.log(`\n=== ${name}`);
  const { status } = spawnSync("npm", args, { stdio: "inherit" });
  console.log(
    `=== ${name}: ${status === 0 ? "passed" : "FAILED"} in ${Math.round((Date.now() - started) / 1000)} s`,
  );
  return status === 0;
}

function readReport() {
  try {
    return JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  }
}
