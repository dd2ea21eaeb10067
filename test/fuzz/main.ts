// Thousands of generated calls against a running gateway: `npm run fuzz-api -- --seed 7 --examples 100`. Prints what it ran with,
// how many cases there were and every failure; exit status 0 only where there was none.
import { parseArgs } from "node:util";
import { startFuzzStage } from "./fuzz-stage.ts";
import { schemathesis } from "./schemathesis.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
    examples: { type: "string", default: "100" },
    phases: { type: "string", default: "examples,coverage,fuzzing,stateful" },
    seconds: { type: "string", default: "1200" },
  },
});
const options = {
  seed: Number(values.seed),
  examples: Number(values.examples),
  phases: values.phases,
  timeoutSeconds: Number(values.seconds),
};
console.log(`seed ${options.seed}, ${options.examples} examples of each call, phases ${options.phases}`);

const started = Date.now();
const stage = await startFuzzStage();
try {
  const { exitCode, report, output } = await schemathesis(stage, options);
  const { generated, with_failures, errored } = report.test_cases;
  const passed = exitCode === 0 && report.complete && with_failures === 0 && errored === 0;
  console.log(output);
  console.log(
    `${generated} cases of ${report.operations.tested} calls, ${with_failures} with failures, ${errored} errored, seed ${options.seed}, ${Math.round((Date.now() - started) / 1000)} s`,
  );
  process.exitCode = passed ? 0 : 1;
} finally {
  await stage.stop();
}
