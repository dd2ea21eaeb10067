import { setTimeout as delay } from "node:timers/promises";
import { ClientError, type ConnectorView } from "../client.ts";
import { CommandError } from "./failure.ts";
import type { Output } from "./output.ts";
import { createProgress } from "./progress.ts";

const pollMs = 500;

/** Workers may be restarted while somebody waits; past this many unanswered looks in a row the wait is given up. */
const silencesBorne = 12;

/**
 * Waits for the end of the run that `asked` asked for and answers the view after it. Where none begins within `beginPatienceMs`, there
 * was nothing to do. A run that failed or was cut short is thrown with its own code.
 */
export async function followRun(
  look: () => Promise<ConnectorView>,
  asked: ConnectorView,
  { output, beginPatienceMs }: { output: Output; beginPatienceMs: number },
): Promise<ConnectorView> {
  // A run that was under way when it was asked does not count: another follows it.
  const before = asked.current_run?.number ?? asked.last_run?.number ?? 0;
  const giveUpAt = Date.now() + beginPatienceMs;
  const progress = createProgress(output);
  try {
    for (;;) {
      const view = await lookPatiently(look);
      if (view.last_run && view.last_run.number > before) return throwUnlessDone(view);
      if (!view.current_run) {
        if (view.status === "inactive") throw stopped();
        if (Date.now() >= giveUpAt) return view;
      } else if (view.current_run.number > before) {
        progress.show(view.current_run);
      }
      await delay(pollMs);
    }
  } finally {
    progress.stop();
  }
}

async function lookPatiently(look: () => Promise<ConnectorView>): Promise<ConnectorView> {
  for (let silences = 1; ; silences++) {
    try {
      return await look();
    } catch (error) {
      const isSilence = error instanceof ClientError && error.code === "worker_silent";
      if (!isSilence || silences >= silencesBorne) throw error;
    }
  }
}

function throwUnlessDone(view: ConnectorView): ConnectorView {
  const run = view.last_run;
  if (run?.outcome !== "failed" && run?.outcome !== "partial") return view;
  const what = run.error?.message ?? "It was not finished.";
  throw new CommandError(
    run.error?.code ?? `run_${run.outcome}`,
    `run ${run.number} ended ${run.outcome}: ${what}`,
  );
}

function stopped(): CommandError {
  return new CommandError(
    "connector_inactive",
    "the connector was deactivated before its run ended. Activate it to go on.",
  );
}
