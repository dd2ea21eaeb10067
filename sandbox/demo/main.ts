// The whole product on this machine in about a minute: SegOps recomputes, the connector's workflow wakes, Braze ends up with
// exactly the right people, and what breaks on the way does not matter. Exit status 0 only if every act did what it tells.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startStack, type Stack } from "../stack.ts";
import { acts } from "./acts.ts";
import { playActs } from "./play.ts";
import { createStory } from "./story.ts";
import { World } from "./world.ts";

/** The acts take about a quarter of this; past it something hangs. */
const limitMs = 240_000;

type Ending = "passed" | "differs" | "hangs" | "interrupted";

const story = createStory();
const dir = await mkdtemp(join(tmpdir(), "segops-braze-demo-"));
const startedMs = Date.now();
let starting: Promise<Stack> | undefined;
let world: World | undefined;

const ending = await Promise.race([tell(), interruption()]).catch((error: unknown) => error as Error);
await endEverything(ending === "passed" || ending === "differs");
process.exit(await conclude(ending));

async function tell(): Promise<Ending> {
  story.say(
    "Starting a Temporal server, stand-ins for Braze and SegOps, and a worker, each a process of its own. The first time, Temporal's program is downloaded …",
  );
  starting = startStack({ dir });
  const stack = await starting;
  // From here on: a first download has its own limits, and a slow line is no fault of ours.
  return await Promise.race([play(stack), delay(limitMs, "hangs" as const)]);
}

async function play(stack: Stack): Promise<"passed" | "differs"> {
  world = new World(stack, story, dir);
  await stack.setup();
  await stack.relayWebhooks((error) => story.say(`A webhook could not be handed on: ${String(error)}`));
  await world.startWorker();
  return (await playActs(world, acts)) ? "passed" : "differs";
}

function interruption(): Promise<"interrupted"> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => resolve("interrupted"));
  });
}

/** What is still being started is waited for, so that nothing is left behind. */
async function endEverything(inOrder: boolean): Promise<void> {
  const stack = await starting?.catch(() => undefined);
  await (inOrder ? stack?.stop() : stack?.kill());
}

async function conclude(how: Ending | Error): Promise<number> {
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  if (how === "passed") {
    story.say(`In ${seconds} s: nothing differs, and every act did what it tells.`);
  } else if (how === "interrupted") {
    story.say("Interrupted; everything was ended.");
  } else {
    story.say(failureWords(how));
    story.say(`Logs and data were kept in ${dir}`);
    return 1;
  }
  await rm(dir, { recursive: true, force: true });
  return how === "passed" ? 0 : 130;
}

function failureWords(how: "differs" | "hangs" | Error): string {
  if (how === "differs") return "Not everything came true: see the lines marked ✗.";
  const waiting = `It was waiting for ${world?.waitingFor ?? "the parts to start"}.`;
  if (how === "hangs") return `Not finished after ${limitMs / 60_000} minutes. ${waiting}`;
  return `Stopped by an error: ${how.message} ${waiting}`;
}
