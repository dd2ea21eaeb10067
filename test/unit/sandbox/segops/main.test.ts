import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { SegopsControl } from "../../../../sandbox/segops/control.ts";

const MAIN = fileURLToPath(new URL("../../../../sandbox/segops/main.ts", import.meta.url));
type Segops = ChildProcessByStdio<Writable, Readable, null>;
const children: Segops[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")));

async function start(...options: string[]): Promise<{ child: Segops; lines: string[]; url: string }> {
  const args = ["--import", "tsx", MAIN, "--port", "0", ...options];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const lines: string[] = [];
  const output = createInterface(child.stdout).on("line", (line) => lines.push(line));
  await once(output, "line");
  const ready = JSON.parse(lines[0] ?? "") as { ready: boolean; url: string };
  expect(ready).toEqual({ ready: true, url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) });
  return { child, lines, url: ready.url };
}

test("says in one line where it listens, serves there, and ends on SIGTERM with status 0", async () => {
  const { child, lines, url } = await start();
  const control = new SegopsControl(url);
  await control.putTenant("acme", { api_key: "sk_main" });
  await control.putSegment("acme", 1, { generate: { count: 10, prefix: "u" } });
  expect(await control.recompute("acme", 1)).toMatchObject({ member_count: 10 });
  const headers = { authorization: "ApiKey sk_main" };
  expect((await fetch(`${control.apiUrl}/segments/1/`, { headers })).status).toBe(200);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(lines).toHaveLength(1);
});

test("ends with its stdin when told to", async () => {
  const { child } = await start("--exit-with-stdin");
  child.stdin.end();
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("outlives its stdin otherwise", async () => {
  const { child, url } = await start();
  child.stdin.end();
  expect(await new SegopsControl(url).stats()).toMatchObject({ requests: {} });
  expect(child.exitCode).toBeNull();
  child.kill("SIGTERM");
  await once(child, "exit");
});
