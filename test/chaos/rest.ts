import { setTimeout as delay } from "node:timers/promises";
import type { ConnectorView } from "../../src/client.ts";
import { approveRemovalUpdate } from "../../src/contracts/connector-messages.ts";
import { compareComputedAt } from "../../src/contracts/recompute.ts";
import type { TestConnector } from "../integration/test-connector.ts";
import type { Arena } from "./arena.ts";

/** Long enough for a dead worker's heartbeats (15 s), a pause of half a minute inside a run, and a quiet window or two. */
const patienceMs = 150_000;
const everyMs = 250;

interface RestOptions {
  /** What SegOps said then is to be delivered. */
  computedAt: string;
  /** A person looks at what is held, and lets it go; else that may wait for ever. */
  letsGo: boolean;
}

/** Waits until a connector has delivered everything and waits for nothing. Answers why not, when it has not. */
export async function untilAtRest(
  arena: Arena,
  connector: TestConnector,
  { computedAt, letsGo }: RestOptions,
): Promise<string | null> {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    const why = await connector.describe().then(
      async (view) => {
        if (letsGo && view.pending_removal && view.current_run === null)
          await approve(arena, connector, view.pending_removal.digest);
        const mayWait = !letsGo && (await waitsForPersonAlone(connector, view));
        return whyNotAtRest(view, computedAt, mayWait);
      },
      (error: unknown) => `it does not answer: ${String(error)}`,
    );
    if (why === null || Date.now() > giveUpAt) return why;
    await delay(everyMs);
  }
}

/** Nobody but those whose exit is held, some of whom may be unknown besides. */
async function waitsForPersonAlone(
  connector: TestConnector,
  { pending_removal: pending, channels, current_run: run }: ConnectorView,
): Promise<boolean> {
  if (!pending || run) return false;
  for (const { channel, unknown, waiting } of channels) {
    const held = (await connector.exceptions(channel)).filter(({ reason }) => reason === "held");
    if (held.length !== unknown + waiting) return false;
  }
  return true;
}

function whyNotAtRest(view: ConnectorView, computedAt: string, mayWait: boolean): string | null {
  const { status, current_run: run, last_run: last, channels } = view;
  if (run)
    return `run ${run.number} is under way: ${run.progress?.phase ?? run.reason}, ${run.progress?.last_error ?? ""}`;
  if (status !== "active") return `its status is ${status}: ${view.last_error}`;
  if (!last) return "it never ran";
  const good = ["clean", "no_change", ...(mayWait ? ["held"] : [])];
  if (!good.includes(last.outcome)) return `run ${last.number} ended ${last.outcome}`;
  if (!last.computed_at || compareComputedAt(last.computed_at, computedAt) < 0) {
    return `run ${last.number} was for ${last.computed_at}, not for ${computedAt}`;
  }
  const open = mayWait ? [] : channels.filter(({ unknown, waiting }) => unknown + waiting > 0);
  return open.length > 0 ? `exceptions wait: ${JSON.stringify(open)}` : null;
}

async function approve(arena: Arena, { workflowId }: TestConnector, digest: string): Promise<void> {
  const handle = arena.stage.client.workflow.getHandle(workflowId);
  // What is held may have changed since it was looked at; the next look sees the new digest.
  await handle.executeUpdate(approveRemovalUpdate, { args: [{ digest }] }).catch(() => undefined);
}
