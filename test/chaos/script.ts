import type { ChangeInput } from "../../sandbox/segops/control-shapes.ts";
import type { WorkspacePatch } from "../../sandbox/braze/workspace-settings.ts";
import { Dice } from "./dice.ts";
import { planFaults, type PlannedFault } from "./faults.ts";
import { planWorkload, usesGroups, type CastMember, type PlannedWork } from "./workload.ts";

/** So long things happen in a round; what was begun may take longer. */
const stormMs = 9_000;
/** Braze's largest delay between accepting and applying. */
export const largestApplyDelayMs = 2_000;

/** All that will be tried in a round, decided beforehand: plain data, whatever the machine's pace. */
export interface RoundScript {
  weather: Omit<WorkspacePatch, "key">;
  /** Users that Braze knows before any connector speaks of them: without a profile a subscription state is lost. */
  knownBefore: boolean;
  cast: CastMember[];
  work: PlannedWork[];
  faults: PlannedFault[];
  /** Each connector's last change, made when all faults are over. */
  lastChanges: ChangeInput[];
}

export function writeScript(seed: number, round: number): RoundScript {
  const dice = new Dice(seed, round);
  const { faults: planned, needsExport } = planFaults(dice, { seed, round, connectors: 3, stormMs });
  const workload = planWorkload(dice, { connectors: 3, stormMs, withExport: needsExport });
  const hasGroups = usesGroups(workload);
  // A fault of a path that nobody asks for could never strike.
  const faults = planned.map((fault) =>
    fault.on === "braze" && !hasGroups ? { ...fault, path: "/" } : fault,
  );
  return {
    weather: {
      applyDelayMs: dice.pick([50, 500, largestApplyDelayMs]),
      applyOrder: dice.pick(["fifo", "reversed", "shuffled"] as const),
      applySeed: dice.int(1, 1_000_000),
      answerDelayMs: dice.pick([20, 80, 150]),
      headerMode: dice.pick(["a", "b", "off"] as const),
      burstPer3s: dice.chance(0.2) ? 200 : null,
      blockedIds: workload.blockedIds,
    },
    knownBefore: hasGroups,
    faults,
    ...workload,
  };
}
