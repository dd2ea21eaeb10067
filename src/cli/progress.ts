import { Presets, SingleBar } from "cli-progress";
import type { CurrentRun } from "../contracts/view.ts";
import { runLine } from "./connector-card.ts";
import type { Output } from "./output.ts";

/** Shows a run as it goes: a bar on a terminal, a line for each change otherwise, nothing with `--json`. */
export interface Progress {
  show(run: CurrentRun): void;
  stop(): void;
}

export function createProgress(output: Output): Progress {
  if (output.json) return { show() {}, stop() {} };
  return process.stderr.isTTY ? bar() : lines(output);
}

function lines(output: Output): Progress {
  let last = "";
  return {
    show(run) {
      const line = runLine(run);
      if (line !== last) output.note(line);
      last = line;
    },
    stop() {},
  };
}

function bar(): Progress {
  const drawn = new SingleBar(
    { format: "{bar} {percentage} %  {phase}  {users}  {left}", hideCursor: true },
    Presets.shades_classic,
  );
  let started = false;
  return {
    show({ progress }) {
      if (!progress) return;
      const { phase, users_done, users_total, eta_seconds } = progress;
      const left = eta_seconds === null ? "" : `about ${eta_seconds} s to go`;
      const payload = { phase, left, users: users_total > 0 ? `${users_done}/${users_total} users` : "" };
      // Nothing of nothing would show as a full bar before the run knows how much there is.
      const total = Math.max(users_total, 1);
      if (!started) drawn.start(total, users_done, payload);
      started = true;
      drawn.setTotal(total);
      drawn.update(users_done, payload);
    },
    stop() {
      if (started) drawn.stop();
    },
  };
}
