import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { apiKey, noSignal, quickClock, segment7, segopsAt, serve, status } from "./local-segops.ts";
import type { Script } from "./local-segops.ts";

const parquet = Buffer.from("PAR1 some columns PAR1");
const sendFile: Script = (_, response) => void response.end(parquet);

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "segops-export-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** SegOps' export, ready at once; its answers can be replaced by the last part of their path. */
function exporter(over: { start?: unknown; poll?: Script; download?: Script; file?: Script }): Script {
  return (request, response, nth) => {
    const { pathname } = new URL(request.url, "http://segops");
    if (request.method === "POST") return over.start ?? { export_id: 14, status: "pending" };
    if (pathname.endsWith("/export/")) {
      return over.poll
        ? over.poll(request, response, nth)
        : {
            id: 14,
            status: "complete",
            format: "parquet",
            download_url: "/api/segments/exports/14/download/",
          };
    }
    const script = pathname.endsWith("/download/") ? over.download : over.file;
    return (script ?? sendFile)(request, response, nth);
  };
}

async function runExport(script: Script) {
  const { url, seen } = await serve(script);
  const directory = await folder();
  const clock = quickClock();
  const exported = segopsAt(url, clock).exportTo(segment7, directory, noSignal);
  return { exported, directory, clock, seen, url };
}

describe("an export", () => {
  test("is started as Parquet, waited for every two seconds, downloaded with the key, and written to the folder", async () => {
    const words = ["pending", "running", "complete"];
    const { exported, directory, clock, seen } = await runExport(
      exporter({
        poll: (_, __, nth) => ({
          id: 14,
          status: words[nth - 2],
          download_url: "/api/segments/exports/14/download/",
        }),
      }),
    );
    const { path, format } = await exported;
    expect(format).toBe("parquet");
    expect(await readFile(path)).toEqual(parquet);
    expect(await readdir(directory)).toHaveLength(1);
    expect(clock.pausesMs).toEqual([2000, 2000]);
    expect(seen[0]).toMatchObject({
      method: "POST",
      url: "/api/segments/7/export/",
      body: '{"format":"parquet"}',
    });
    expect(seen[1]?.url).toBe("/api/segments/7/export/?export_id=14");
    expect(seen.at(-1)).toMatchObject({
      url: "/api/segments/exports/14/download/",
      authorization: `ApiKey ${apiKey}`,
    });
  });

  test.each([
    ["ready for complete", { id: 14, status: "ready", download_url: "/api/segments/exports/14/download/" }],
    ["no download_url", { id: 14, status: "complete" }],
  ])("is finished by an answer with %s", async (_, body) => {
    const { exported, seen } = await runExport(exporter({ poll: () => body }));
    await exported;
    expect(seen.at(-1)?.url).toBe("/api/segments/exports/14/download/");
  });

  test("follows redirects within SegOps and to another host, and shows the key to neither", async () => {
    const host = await serve((request, response) =>
      request.url === "/hop?sig=1"
        ? status(response, 307, { location: "file?sig=2" })
        : sendFile(request, response, 0),
    );
    const { exported, seen } = await runExport(
      exporter({
        download: (_, response) => status(response, 302, { location: "/files/14" }),
        file: (_, response) => status(response, 302, { location: `${host.url}/hop?sig=1` }),
      }),
    );
    expect(await readFile((await exported).path)).toEqual(parquet);
    expect(seen.slice(-2).map(({ url, authorization }) => [url, authorization])).toEqual([
      ["/api/segments/exports/14/download/", `ApiKey ${apiKey}`],
      ["/files/14", undefined],
    ]);
    expect(host.seen.map(({ url, authorization }) => [url, authorization])).toEqual([
      ["/hop?sig=1", undefined],
      ["/file?sig=2", undefined],
    ]);
  });

  test("whose address is on another host from the start is fetched without the key", async () => {
    const host = await serve(sendFile);
    const { exported } = await runExport(
      exporter({ poll: () => ({ id: 14, status: "complete", download_url: `${host.url}/file` }) }),
    );
    await exported;
    expect(host.seen).toMatchObject([{ url: "/file", authorization: undefined }]);
  });

  test.each<[string, Script]>([
    ["answers 503", (_, response) => status(response, 503)],
    ["is reset", (_, response) => void response.socket?.resetAndDestroy()],
    [
      "breaks off before its Content-Length",
      (_, response) => {
        response.writeHead(200, { "content-length": parquet.length });
        response.write(parquet.subarray(0, 8), () => response.destroy());
      },
    ],
  ])("whose download %s once is downloaded again, whole", async (_, trouble) => {
    let downloads = 0;
    const { exported, clock } = await runExport(
      exporter({
        download: (...call) => {
          downloads += 1;
          return downloads === 1 ? trouble(...call) : sendFile(...call);
        },
      }),
    );
    expect(await readFile((await exported).path)).toEqual(parquet);
    expect(clock.pausesMs).toHaveLength(1);
  });

  test.each<[string, Parameters<typeof exporter>[0], string, string]>([
    [
      "failed in SegOps",
      { poll: () => ({ id: 14, status: "failed" }) },
      "snapshot_unverified",
      "failed in SegOps",
    ],
    ["was started without an id", { start: { ok: true } }, "snapshot_unverified", "without an id"],
    ["has no status", { poll: () => ({ id: 14 }) }, "snapshot_unverified", "no status"],
    ["is forgotten", { poll: (_, r) => status(r, 404) }, "snapshot_unverified", "HTTP 404"],
    [
      "never completes",
      { poll: () => ({ status: "pending" }) },
      "segops_unavailable",
      "not complete after 300 s",
    ],
    ["has expired", { download: (_, r) => status(r, 404) }, "snapshot_unverified", "HTTP 404"],
    ["may not be downloaded", { download: (_, r) => status(r, 403) }, "segops_key_rejected", "HTTP 403"],
    [
      "is refused by the file host",
      { download: (_, r) => status(r, 302, { location: "/files/14" }), file: (_, r) => status(r, 403) },
      "snapshot_unverified",
      "file host answered HTTP 403",
    ],
    [
      "redirects in a circle",
      { download: (_, r) => status(r, 302, { location: "/api/segments/exports/14/download/" }) },
      "snapshot_unverified",
      "redirects more than 5 times",
    ],
    [
      "lacks its end",
      { download: (_, r) => void r.end("PAR1 some columns") },
      "snapshot_unverified",
      "of 17 bytes",
    ],
    [
      "lacks its beginning",
      { download: (_, r) => void r.end("some columns PAR1") },
      "snapshot_unverified",
      "whole Parquet",
    ],
    ["is empty", { download: (_, r) => void r.end() }, "snapshot_unverified", "of 0 bytes"],
    ["is too short", { download: (_, r) => void r.end("PAR1PAR1") }, "snapshot_unverified", "of 8 bytes"],
  ])("that %s is refused and leaves no file", async (_, over, code, words) => {
    const { exported, directory } = await runExport(exporter(over));
    const error = await exported.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, detail: expect.stringContaining(words) });
    expect(JSON.stringify(error) + String(error)).not.toContain(apiKey);
    expect(await readdir(directory)).toEqual([]);
  });

  test("that cannot be written to disk fails as that, and is not tried again", async () => {
    const { url } = await serve(exporter({}));
    const clock = quickClock();
    const missing = join(await folder(), "missing");
    await expect(segopsAt(url, clock).exportTo(segment7, missing, noSignal)).rejects.toMatchObject({
      code: "ENOENT",
    });
    expect(clock.pausesMs).toEqual([]);
  });
});
