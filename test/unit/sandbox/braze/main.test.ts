import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";

const main = fileURLToPath(new URL("../../../../sandbox/braze/main.ts", import.meta.url));
let child: ChildProcess | undefined;

afterEach(() => child?.kill("SIGKILL"));

/** Starts the process and answers its first words on stdout. */
async function start(...flags: string[]): Promise<{ ready: boolean; url: string }> {
  child = spawn(process.execPath, ["--import", "tsx", main, "--port", "0", ...flags]);
  const [line] = (await once(child.stdout!, "data")) as [Buffer];
  return JSON.parse(line.toString()) as { ready: boolean; url: string };
}

describe("the process", () => {
  test("it prints where it listens, serves there and ends with SIGTERM", async () => {
    const { ready, url } = await start();
    expect(ready).toBe(true);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${url}/users/track`)).status).toBe(404);
    child!.kill("SIGTERM");
    expect(await once(child!, "exit")).toEqual([0, null]);
  });

  test("it ends when its stdin closes, if asked to", async () => {
    await start("--exit-with-stdin");
    child!.stdin!.end();
    expect(await once(child!, "exit")).toEqual([0, null]);
  });
});
