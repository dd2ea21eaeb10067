import { Presets, SingleBar } from "cli-progress";

/** Shows how many users have arrived. */
export interface Meter {
  show(done: number, doing: string): void;
  stop(): void;
}

/** Without a terminal: a line when so much more has arrived, or when something else is being done, or after so long. */
const lineShare = 0.25;
const lineEveryMs = 5000;

export function createMeter(total: number, line: (text: string) => void): Meter {
  // Nothing of nothing would be a full bar.
  return process.stdout.isTTY && total > 0 ? bar(total) : lines(total, line);
}

function bar(total: number): Meter {
  const drawn = new SingleBar(
    { format: "  {bar} {value}/{total} users at Braze  {doing}", stream: process.stdout },
    Presets.shades_classic,
  );
  drawn.start(total, 0, { doing: "" });
  return {
    show: (done, doing) => drawn.update(Math.min(done, total), { doing: doing.padEnd(32) }),
    stop: () => drawn.stop(),
  };
}

function lines(total: number, line: (text: string) => void): Meter {
  let last = { done: 0, doing: "", atMs: Date.now() };
  return {
    show(arrived, doing) {
      const done = Math.min(arrived, total);
      const isNews = doing !== last.doing || (done > last.done && done - last.done >= total * lineShare);
      const isLate = Date.now() - last.atMs >= lineEveryMs && done < total;
      if (!isNews && !isLate) return;
      last = { done, doing, atMs: Date.now() };
      line(`  … ${total > 0 ? `${done}/${total} users at Braze, ` : ""}${doing}`);
    },
    stop() {},
  };
}
