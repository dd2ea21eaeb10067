import type { Dice } from "./dice.ts";
import { Dice as SeedDice } from "./dice.ts";
import {
  brazeFaults,
  exportFaults,
  processFaults,
  segopsFaults,
  storageFaults,
  type BrazeFault,
  type ProcessFault,
  type SegopsFault,
  type StorageFault,
} from "./fault-kinds.ts";

/** One fault, as data. `fraction` chooses among what there is when it strikes, such as events of a history. */
export type PlannedFault = { atMs: number } & (
  | {
      on: "process";
      kind: ProcessFault;
      worker: number;
      connector: number;
      lastsMs: number;
      fraction: number;
    }
  | {
      on: "braze";
      kind: BrazeFault;
      path: string;
      applied: boolean | undefined;
      times: number;
      retryAfterSeconds: number | undefined;
    }
  | { on: "segops"; kind: SegopsFault; connector: number; times: number }
  | { on: "storage"; kind: StorageFault; connector: number; times: number; lastsMs: number }
);

interface FaultOptions {
  seed: number;
  round: number;
  connectors: number;
  stormMs: number;
}

/** In a hundred rounds each kind has at least 21 turns: some find nothing to strike. */
const perRound = { process: 3, braze: 4, segops: 4, storage: 2 };

/** Kinds take turns, in an order of the seed's: within few rounds each has its chance. */
export function planFaults(
  dice: Dice,
  { seed, round, connectors, stormMs }: FaultOptions,
): { faults: PlannedFault[]; needsExport: boolean } {
  const order = new SeedDice(seed, 0);
  const turn = <T>(kinds: readonly T[], count: number): T[] => {
    const deck = order.shuffle(kinds);
    return Array.from({ length: count }, (_, index) => deck[(round * count + index) % deck.length] as T);
  };
  const atMs = () => dice.int(300, stormMs - 1_000);
  const connector = () => dice.int(0, connectors - 1);
  const process = turn(processFaults, perRound.process).map((kind) => ({
    on: "process" as const,
    kind,
    atMs: atMs(),
    worker: dice.int(0, 1),
    connector: connector(),
    lastsMs: lasting(dice, kind),
    fraction: dice.fraction(),
  }));
  const braze = turn(brazeFaults, perRound.braze).map((kind) => ({
    on: "braze" as const,
    kind,
    // While there is much to send yet: it stays until it has struck.
    atMs: dice.int(300, Math.floor(stormMs / 2)),
    path: dice.chance(0.3) ? "/v2/subscription" : dice.pick(["/users/track", "/"]),
    applied: mayDiffer(kind) ? dice.chance(0.5) : undefined,
    times: kind === "hang" || leavesNobodyNamed(kind) ? 1 : dice.int(1, 4),
    retryAfterSeconds: kind === "429" || kind === "503" ? dice.pick([undefined, 0, 1]) : undefined,
  }));
  const storage = turn(storageFaults, perRound.storage).map((kind) => ({
    on: "storage" as const,
    kind,
    atMs: atMs(),
    connector: connector(),
    times: isLasting(kind) ? 12 : dice.int(1, 3),
    lastsMs: isLasting(kind) ? dice.int(2_000, 5_000) : 60_000,
  }));
  const kinds = turn(segopsFaults, perRound.segops);
  const offset = connector();
  const segops = kinds.map((kind, index) => ({
    on: "segops" as const,
    kind,
    // Early: it strikes only where another recompute follows.
    atMs: dice.int(0, Math.floor(stormMs / 3)),
    // Only the first connector's segment is ever exported. The others take turns: one fault hides another from the same segment.
    connector: exportFaults.has(kind) ? 0 : (offset + index) % connectors,
    times: dice.int(1, 2),
  }));
  const faults: PlannedFault[] = [...process, ...braze, ...segops, ...storage];
  return {
    faults: faults.toSorted((a, b) => a.atMs - b.atMs),
    needsExport: kinds.some((kind) => exportFaults.has(kind)),
  };
}

/** Longer than a part may send, so that what was stopped comes back to a world that has gone on. */
function lasting(dice: Dice, kind: ProcessFault): number {
  if (kind === "worker_stopped") return dice.int(4_000, 7_000);
  if (kind === "worker_stopped_past_its_run") return dice.int(9_000, 14_000);
  return dice.int(500, 2_500);
}

/** A state of the disk, and no accident of one call. */
function isLasting(kind: StorageFault): boolean {
  return kind === "slow_disk" || kind === "disk_full";
}

/** Both outcomes are real: Braze took the request or did not, and the answer does not tell. A 429 always means that it did not. */
function mayDiffer(kind: BrazeFault): boolean {
  return ["500", "502", "503", "504", "hang", "truncated_201", "html_201"].includes(kind);
}

function leavesNobodyNamed(kind: BrazeFault): boolean {
  return kind === "errors_as_strings" || kind === "index_out_of_range";
}
