import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startProcess, type Process } from "../../sandbox/process.ts";
import { freePort } from "../../sandbox/temporal/free-port.ts";
import type { ConnectorView } from "../../src/client.ts";
import { eventually } from "./waiting.ts";

const cli = new URL("../../src/cli.ts", import.meta.url);

let dir: string;
let dev: Process | undefined;
let gatewayPort: number;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "segops-braze-dev-"));
  // As a folder of an earlier start says them: the usual ones may be somebody's on this machine.
  const ports = { temporal: await freePort(), braze: await freePort(), segops: await freePort() };
  gatewayPort = await freePort();
  await writeFile(join(dir, "ports.json"), JSON.stringify({ ...ports, gateway: gatewayPort }));
});
afterEach(() => dev?.stop());
afterAll(() => rm(dir, { recursive: true, force: true }));

/** `npm run dev`, until it has told where everything is: the page's address and the key that it prints. */
async function started(): Promise<{ page: string; key: string; said: string }> {
  const args = ["dev", "--dir", dir, "--ui-port", String(await freePort())];
  const running = await startProcess({ entry: cli, name: "dev", args, waitForReady: false });
  dev = running;
  let ended = false;
  void running.exited.then(() => (ended = true));
  const guide = await eventually(
    "dev says where the page is, or ends",
    () => {
      const said = running.output().join("\n");
      const [, page, key] = /Gateway, page +(\S+) , key (\S+)/.exec(said) ?? [];
      if (page && key) return { page, key, said };
      return ended && { page: "", key: "", said };
    },
    { timeoutMs: 110_000 },
  );
  if (!guide.page) throw new Error(`dev ended before it was there:\n${guide.said}`);
  return guide;
}

async function asked(address: string, key: string): Promise<unknown> {
  const answer = await fetch(address, { headers: { authorization: `ApiKey ${key}` } });
  expect({ address, status: answer.status }).toEqual({ address, status: 200 });
  return await answer.json();
}

async function delivered(page: string, key: string): Promise<ConnectorView> {
  return await eventually("the first load is delivered", async () => {
    const view = (await asked(`${page}api/activations/7/`, key)) as ConnectorView;
    return view.last_run?.outcome === "clean" && view.current_run === null && view;
  });
}

test("dev serves the page, and prints its address and a key that signs in to a connector which has delivered", async () => {
  const { page, key } = await started();
  const index = await fetch(page);
  expect(index.status).toBe(200);
  const html = await index.text();
  const [, script = ""] = /<script [^>]*src="\.?\/?([^"]+\.js)"/.exec(html) ?? [];
  const asset = await fetch(new URL(script, page));
  expect({ script, status: asset.status }).toEqual({
    script: expect.stringMatching(/^assets\//),
    status: 200,
  });
  expect(asset.headers.get("content-type")).toContain("javascript");
  expect(await asked(`${page}api/session/`, key)).toMatchObject({ tenant_slug: "acme", role: "admin" });
  const { channels } = await delivered(page, key);
  expect(channels).toMatchObject([{ delivered: 2000 }]);
  expect(await dev?.stop("SIGINT")).toBe(0);
});

test("a later start in the same folder goes on where it was: same address, stand-ins filled again, nobody written anew", async () => {
  const { page, key, said } = await started();
  expect(page).toBe(`http://127.0.0.1:${gatewayPort}/`);
  expect(said).toContain("acme/7: SegOps has its 2000 members again, Braze the 2000 that were delivered.");
  const { last_run } = await delivered(page, key);
  expect(last_run).toMatchObject({ number: 1, outcome: "clean", entered: 2000 });
});
