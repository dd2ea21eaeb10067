import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { CommandError } from "../src/cli/failure.ts";
import { keptPorts, requireFree } from "./dev/ports.ts";
import { guide, writeEnvFile } from "./dev/guide.ts";
import { refillStandIns } from "./dev/refill.ts";
import { rememberedConnectors } from "./dev/remembered.ts";
import { seed } from "./dev/seed.ts";
import type { Process } from "./process.ts";
import { startStack, type Stack } from "./stack.ts";

interface DevOptions {
  /** Everything is kept here, and a later start goes on with it. */
  dir: string;
  /** The Temporal UI's port. */
  uiPort: number;
}

/**
 * Runs a Temporal server with its UI, both stand-ins, a worker and the gateway on this machine until SIGINT or SIGTERM; then ends them all,
 * within 20 s. The stand-ins keep nothing: at a later start they are filled again from what the connectors' logs say.
 * Throws where a port that must stay the same is taken.
 */
export async function runDev(options: DevOptions): Promise<void> {
  const dir = resolve(options.dir);
  const interrupted = interruption();
  await mkdir(dir, { recursive: true });
  await requireFree(options.uiPort, "the Temporal UI", "Choose another with --ui-port.");
  say(`Starting; everything is kept in ${dir} …`);
  const stack = await startStack({
    dir,
    uiPort: options.uiPort,
    keepTemporal: true,
    ports: await keptPorts(dir),
  });
  try {
    await Promise.race([interrupted, untilOneEnds(stack, dir)]);
    say("\nEnding: the worker settles what is in flight …");
  } finally {
    await stack.stop();
  }
  say(`Ended. The next start goes on with ${options.dir}; remove the folder to begin anew.`);
}

/** Never resolves: with a worker or a gateway that ended by itself there is nothing to stay for. */
async function untilOneEnds(stack: Stack, dir: string): Promise<never> {
  const { worker, gateway } = await prepare(stack, dir);
  const name = await Promise.race([worker.exited.then(() => "worker"), gateway.exited.then(() => "gateway")]);
  throw new CommandError(
    `${name}_ended`,
    `the ${name} has ended by itself. See ${join(dir, `${name}.log`)}.`,
  );
}

/** Until everything runs and there is something to look at; answers our own processes. */
async function prepare(stack: Stack, dir: string): Promise<{ worker: Process; gateway: Process }> {
  await stack.setup();
  const gateway = await stack.startGateway();
  const known = await rememberedConnectors(stack.env);
  if (known.length > 0)
    say("The stand-ins keep nothing; they are filled again from what the connectors' logs say:");
  // Before the worker: nothing may be sent to a Braze that has not remembered yet.
  for (const connector of known) say(`  ${await refillStandIns(stack, connector)}`);
  const worker = await stack.startWorker();
  // Also where an earlier start was interrupted before its first run.
  if (known.every(({ membership }) => membership === null)) await seed(stack);
  const envFile = join(dir, "dev.env");
  await writeEnvFile(envFile, stack, gateway.url);
  say(guide(stack, { dir, envFile, gatewayUrl: gateway.url, isBuilt: existsSync("dist/src/cli.js") }));
  return { worker, gateway };
}

/** Listened for from the start, so that it is never too early for Ctrl-C; a second one does not wait. */
function interruption(): Promise<void> {
  return new Promise((done) => {
    let asked = false;
    const ask = () => {
      if (asked) process.exit(130);
      asked = true;
      done();
    };
    process.on("SIGINT", ask);
    process.on("SIGTERM", ask);
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
