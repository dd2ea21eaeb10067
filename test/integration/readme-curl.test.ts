import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayKey } from "../../sandbox/stack-environment.ts";
import type { ConnectorView } from "../../src/client.ts";
import { startStage, type Stage } from "./harness.ts";
import { runProgram } from "./run-program.ts";

const hasCurl = await runProgram("curl", ["--version"]).then(
  ({ code }) => code === 0,
  () => false,
);
if (!hasCurl && !process.env["CI"])
  console.log("README's requests with curl are skipped, there is no curl on the PATH.");

/** README's requests as they stand there, in its order. */
const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const commands = [...readme.matchAll(/^curl (?:.*\\\n)*.*$/gm)].map(([command]) => command);

describe.skipIf(!hasCurl && !process.env["CI"])("README's requests with curl", () => {
  let stage: Stage;
  let gatewayUrl: string;

  beforeAll(async () => {
    stage = await startStage();
    await stage.startWorker();
    gatewayUrl = (await stage.stack.startGateway()).url;
  });
  afterAll(async () => {
    await stage?.stop();
  });

  test("the first, SegOps' own but for host and token, creates an inactive connector; the second activates it", async () => {
    expect(commands).toHaveLength(2);
    const [create = "", activate = ""] = commands;
    expect(await asWritten(create)).toMatchObject({
      status: 201,
      body: {
        id: 7,
        segment: 7,
        connector_type: "braze",
        status: "inactive",
        config: {
          rest_endpoint: "https://rest.iad-01.braze.com",
          api_key: "***",
          segment_id: "optional-braze-segment-id",
        },
      },
    });
    // Its run ends with SegOps, which has no segment 7 here: nothing is sent to the Braze that README names.
    expect(await asWritten(activate)).toMatchObject({ status: 200, body: { id: 7, status: "active" } });
  });

  /** Through a shell, as a reader would; only the gateway's address is another, and the status is asked for. */
  async function asWritten(command: string): Promise<{ status: number; body: ConnectorView }> {
    const here = command.replaceAll("http://127.0.0.1:8088", gatewayUrl);
    expect(here).not.toBe(command);
    const { code, stdout, stderr } = await runProgram("sh", ["-c", `${here} -sS -w '\\n%{http_code}'`], {
      env: { GATEWAY_KEY: gatewayKey },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [body = "", status] = stdout.split(/\n(?=\d+$)/);
    return { status: Number(status), body: JSON.parse(body) as ConnectorView };
  }
});
