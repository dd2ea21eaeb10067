import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { gatewayKey, tenant, webhookSecret } from "../../sandbox/stack-environment.ts";
import { pythonTools } from "../python/python-tools.ts";
import type { FuzzStage } from "./fuzz-stage.ts";

export interface FuzzOptions {
  /** The same seed generates the same cases. */
  seed: number;
  /** Cases of each call that are made up at random. */
  examples: number;
  /** Kinds of cases: `coverage` is every value at and beyond its limits, `fuzzing` random ones, `stateful` calls that follow one another. */
  phases: string;
  /** Ended after so long, whatever is left. */
  timeoutSeconds: number;
}

const reportSchema = z.object({
  complete: z.boolean(),
  test_cases: z.object({ generated: z.int(), with_failures: z.int(), errored: z.int() }),
  operations: z.object({ total: z.int(), tested: z.int(), errored: z.int() }),
  failures: z.array(z.unknown()),
  errors: z.array(z.unknown()),
});

export interface FuzzOutcome {
  exitCode: number | null;
  report: z.infer<typeof reportSchema>;
  output: string;
}

const hooks = fileURLToPath(new URL("../python/schemathesis_hooks.py", import.meta.url));

/** Generates calls from the gateway's own description and checks every answer with every check that schemathesis has. */
export async function schemathesis(stage: FuzzStage, options: FuzzOptions): Promise<FuzzOutcome> {
  const { seed, examples, phases, timeoutSeconds } = options;
  const reportFile = join(stage.dir, `schemathesis-${seed}.json`);
  // One worker: with more, Python 3.11's own parser fails now and then in schemathesis ("AST constructor recursion depth mismatch").
  const flags = {
    checks: "all",
    phases,
    "max-examples": examples,
    seed,
    workers: 1,
    report: "json",
    "report-json-path": reportFile,
    "generation-database": "none",
    "request-timeout": 30,
  };
  const named = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const args = ["run", `${stage.url}/api/openapi.json`, ...named, "--continue-on-failure", "--no-color"];
  const st = spawn(join(pythonTools(), "st"), args, {
    cwd: stage.dir,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutSeconds * 1000,
    env: {
      ...process.env,
      SCHEMATHESIS_HOOKS: hooks,
      PYTHONDONTWRITEBYTECODE: "1",
      FUZZ_API_KEY: gatewayKey,
      FUZZ_WEBHOOK_SECRET: webhookSecret,
      FUZZ_TENANT: tenant,
      FUZZ_BRAZE_URL: stage.brazeUrl,
      FUZZ_SEGMENTS: String(stage.segments),
    },
  });
  const printed: Buffer[] = [];
  for (const stream of [st.stdout, st.stderr]) stream.on("data", (chunk: Buffer) => printed.push(chunk));
  const [exitCode] = (await once(st, "close")) as [number | null];
  const output = Buffer.concat(printed).toString();
  const report = await readFile(reportFile, "utf8").catch(() => {
    throw new Error(`schemathesis wrote no report (exit code ${exitCode}). It printed:\n${output}`);
  });
  return { exitCode, output, report: reportSchema.parse(JSON.parse(report)) };
}
