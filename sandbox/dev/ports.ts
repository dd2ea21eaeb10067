import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { CommandError } from "../../src/cli/failure.ts";
import { freePort } from "../temporal/free-port.ts";

interface Ports {
  temporal: number;
  braze: number;
  segops: number;
  gateway: number;
}

const words: Record<keyof Ports, string> = {
  temporal: "the Temporal server",
  braze: "the Braze stand-in",
  segops: "the SegOps stand-in",
  gateway: "the gateway",
};

/** What a developer would guess, where it is free at the first start. */
const preferred: Ports = { temporal: 7233, braze: 9797, segops: 9798, gateway: 8088 };

/**
 * The ports of a data folder: chosen at its first start and kept, because connectors keep the address of their Braze and other
 * terminals the rest. Throws where one is taken by another program.
 */
export async function keptPorts(dir: string): Promise<Ports> {
  const file = join(dir, "ports.json");
  const kept = await read(file);
  for (const [name, port] of Object.entries(kept)) {
    const remedy = `Is another dev running with ${dir}? End it, or what else listens there, or choose another --dir.`;
    await requireFree(port, `${words[name as keyof Ports]} of this folder`, remedy);
  }
  const chosen = {
    temporal: kept.temporal ?? (await freeOr(preferred.temporal)),
    braze: kept.braze ?? (await freeOr(preferred.braze)),
    segops: kept.segops ?? (await freeOr(preferred.segops)),
    gateway: kept.gateway ?? (await freeOr(preferred.gateway)),
  };
  await writeFile(file, `${JSON.stringify(chosen)}\n`);
  return chosen;
}

/** Throws, with the remedy, where something listens on the port. */
export async function requireFree(port: number, what: string, remedy: string): Promise<void> {
  if (!(await isFree(port)))
    throw new CommandError("port_taken", `port ${port}, for ${what}, is taken. ${remedy}`);
}

/** Not all of them, where an older release chose. */
async function read(file: string): Promise<Partial<Ports>> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Partial<Ports>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

async function freeOr(port: number): Promise<number> {
  return (await isFree(port)) ? port : await freePort();
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
