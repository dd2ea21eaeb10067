import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { schemathesis } from "../fuzz/schemathesis.ts";
import { startFuzzStage, type FuzzStage } from "../fuzz/fuzz-stage.ts";
import { skipsWithoutPythonTools } from "../python/python-tools.ts";

// A bounded run of what `npm run fuzz-api` does at length: always the same cases, so that a red run is red again.
const options = { seed: 1, examples: 15, phases: "examples,fuzzing,stateful", timeoutSeconds: 150 };

describe.skipIf(skipsWithoutPythonTools("The check of the published description by schemathesis"))(
  "the published description",
  () => {
    let stage: FuzzStage;
    beforeAll(async () => {
      stage = await startFuzzStage();
    });
    afterAll(async () => {
      await stage?.stop();
    });

    test("holds for hundreds of generated calls: every answer is as described, and what is wrong is refused", async () => {
      const { exitCode, report, output } = await schemathesis(stage, options);
      if (exitCode !== 0) throw new Error(output);
      const { generated } = report.test_cases;
      expect(report).toMatchObject({
        complete: true,
        test_cases: { with_failures: 0, errored: 0 },
        failures: [],
        errors: [],
      });
      expect(report.operations.tested).toBe(report.operations.total);
      expect(generated).toBeGreaterThan(300);
      console.log(
        `schemathesis: ${generated} cases of ${report.operations.tested} calls, seed ${options.seed}`,
      );
    }, 180_000);
  },
);
