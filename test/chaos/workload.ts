import type { ChangeInput, SegmentInput } from "../../sandbox/segops/control-shapes.ts";
import type { ConnectorSettings } from "../../src/client.ts";
import type { Dice } from "./dice.ts";

/** One connector as it begins. */
export interface CastMember {
  segment: SegmentInput;
  settings: ConnectorSettings;
  /** A person lets go at the end what the guard holds; else it stays held, and Braze keeps showing exactly these. */
  letsGo: boolean;
}

/** What SegOps or an operator does to one connector. */
type Work =
  | { kind: "recompute"; change: ChangeInput }
  | { kind: "configure"; change: ConnectorSettings }
  | { kind: "activate" | "deactivate" | "sync" | "resync" }
  /** Of whatever is held by then. */
  | { kind: "approve" }
  | { kind: "remove"; cleanup: boolean }
  /** Again, with the settings it began with. */
  | { kind: "create" };

export interface PlannedWork {
  atMs: number;
  connector: number;
  work: Work;
}

interface WorkloadOptions {
  connectors: number;
  stormMs: number;
  /** One segment is large enough to be exported. */
  withExport: boolean;
}

interface Workload {
  cast: CastMember[];
  work: PlannedWork[];
  lastChanges: ChangeInput[];
  blockedIds: string[];
}

/** All connectors draw on the same people, so that they meet in the workspace. */
const poolUsers = 2_500;
/** Ids that tempt somebody to trim, fold, normalise or quote them. */
const oddIds = [
  " leading",
  "trailing ",
  "\u00e9",
  "e\u0301",
  "line\u2028separator",
  "tab\tand\nbreak",
  "quote\"'`\\",
  "emoji-\u{1f600}",
  "NULL",
  "0",
  "a/b%20c?d=e&f",
  `long-${"x".repeat(900)}`,
];
/** They enter and leave with every recompute. */
const flappers = Array.from({ length: 40 }, (_, index) => `flap-${index}`);

/** Two of each for every connector, so that settings can change to another and back. */
export const attributeNames = (segment: number) => [`segops_segment_${segment}`, `chaos_${segment}_other`];
export const groupIds = (segment: number) =>
  [1, 2].map((which) => `00000000-0000-4000-800${which}-${String(segment).padStart(12, "0")}`);

export function planWorkload(dice: Dice, options: WorkloadOptions): Workload {
  const indexes = Array.from({ length: options.connectors }, (_, index) => index);
  const cast = indexes.map((index) => newMember(dice, options.withExport && index === 0));
  return {
    cast,
    work: cast.flatMap((member, connector) => planConnector(dice, connector, member, options.stormMs)),
    lastChanges: indexes.map(() => change(dice)),
    blockedIds: [`user-${dice.int(0, 2_499)}`, `user-${dice.int(0, 2_499)}`, dice.pick(oddIds), "flap-7"],
  };
}

/** Whether any connector ever has a subscription group. */
export function usesGroups({ cast, work }: Pick<Workload, "cast" | "work">): boolean {
  const changes = work.flatMap(({ work: each }) => (each.kind === "configure" ? [each.change] : []));
  return [...cast.map(({ settings }) => settings), ...changes].some(({ segment_id: group }) =>
    Boolean(group),
  );
}

function newMember(dice: Dice, isLarge: boolean): CastMember {
  const count = dice.int(200, 2_000);
  const generate = isLarge
    ? { count: 10_200, prefix: "bulk-" }
    : { count, prefix: "user-", from: dice.int(0, poolUsers - count) };
  return {
    segment: {
      generate,
      members: [...oddIds, ...flappers.slice(0, dice.int(0, 40))],
      // Several pages even of the smallest: some faults strike only between two of them.
      options: { maxLimit: dice.pick([100, 300]) },
    },
    settings: {
      batch_size: isLarge ? 75 : dice.pick([5, 10, 25, 75]),
      exit_mode: dice.pick(["remove", "set_false"] as const),
      max_removal_percent: dice.chance(0.5) ? 30 : 100,
      ...(dice.chance(0.4) ? { segment_id: "first" } : {}),
    },
    letsGo: dice.chance(0.6),
  };
}

function planConnector(
  dice: Dice,
  connector: number,
  { settings, segment }: CastMember,
  stormMs: number,
): PlannedWork[] {
  const atMs = () => dice.int(0, stormMs);
  const recomputes = Array.from({ length: dice.int(3, 5) }, () => ({
    atMs: atMs(),
    connector,
    work: { kind: "recompute", change: change(dice) } as const,
  }));
  const isGuarded = settings.max_removal_percent !== 100;
  const operations = [
    ...Array.from({ length: dice.int(1, 3) }, () => operation(dice)),
    ...(isGuarded ? [massExit(dice, segment.generate?.count ?? 0)] : []),
    ...(dice.chance(0.2) ? [removal(dice)] : []),
  ];
  const others = settled(operations).flatMap((pair) => {
    const first = atMs();
    return pair.map((work, index) => ({ atMs: first + index * 1_500, connector, work }));
  });
  return [...recomputes, ...others];
}

/** More leave than the guard lets go; then somebody looks, perhaps too early, and looks again. */
function massExit(dice: Dice, count: number): Work[] {
  const exitFirst = Math.ceil(count * (0.4 + dice.fraction() / 2));
  return [{ kind: "recompute", change: { exitFirst } }, { kind: "approve" }, { kind: "approve" }];
}

/** Created again once it is gone, which takes a run where Braze is cleaned up. */
function removal(dice: Dice): Work[] {
  const cleanup = dice.chance(0.5);
  return [{ kind: "remove", cleanup }, { kind: "recompute", change: {} }, { kind: "create" }];
}

/**
 * What a connector left in Braze when it was removed without cleanup is its own again only under the same name: there, names stay
 * what they are.
 */
function settled(operations: Work[][]): Work[][] {
  const leaves = operations.flat().some((work) => work.kind === "remove" && !work.cleanup);
  if (!leaves) return operations;
  const renames = (work: Work) =>
    work.kind === "configure" && ("attribute_name" in work.change || "segment_id" in work.change);
  return operations.filter((pair) => !pair.some(renames));
}

/** Some enter, some leave, and those who flap do one or the other. */
function change(dice: Dice): ChangeInput {
  const [from, count] = [dice.int(0, poolUsers - 1), dice.int(1, 400)];
  const leaving = dice.int(0, poolUsers - 1);
  const exit = Array.from({ length: dice.int(0, 400) }, (_, index) => `user-${leaving + index}`);
  const [staying, going] = split(dice, flappers);
  return {
    enterGenerate: { count, prefix: "user-", from },
    exit: [...exit, ...going, ...(dice.chance(0.3) ? [dice.pick(oddIds)] : [])],
    enter: [...staying, ...(dice.chance(0.3) ? oddIds : [])],
  };
}

function split<T>(dice: Dice, items: readonly T[]): [T[], T[]] {
  const chosen = items.map(() => dice.chance(0.5));
  return [items.filter((_, index) => chosen[index]), items.filter((_, index) => !chosen[index])];
}

/** One operation, or two that belong together. Names and groups are resolved when the connector has a number. */
function operation(dice: Dice): Work[] {
  const kind = dice.pick([
    "attribute",
    "exit_mode",
    "group",
    "no_group",
    "batch_size",
    "pause",
    "sync",
    "resync",
  ] as const);
  switch (kind) {
    case "attribute":
      return [configure({ attribute_name: dice.pick(["first", "other"]) })];
    case "exit_mode":
      return [configure({ exit_mode: dice.pick(["remove", "set_false"] as const) })];
    case "group":
      return [configure({ segment_id: dice.pick(["first", "other"]) })];
    case "no_group":
      return [configure({ segment_id: null })];
    case "batch_size":
      return [configure({ batch_size: dice.pick([5, 20, 50, 75]) })];
    case "pause":
      return [{ kind: "deactivate" }, { kind: "activate" }];
    case "sync":
    case "resync":
      return [{ kind }];
  }
}

function configure(changed: ConnectorSettings): Work {
  return { kind: "configure", change: changed };
}

/** `first` and `other` become this connector's own names. */
export function resolveNames(settings: ConnectorSettings, segment: number): ConnectorSettings {
  const { attribute_name: attribute, segment_id: group, ...rest } = settings;
  const which = (name: string) => (name === "first" ? 0 : 1);
  return {
    ...rest,
    ...(attribute ? { attribute_name: attributeNames(segment)[which(attribute)] ?? null } : {}),
    ...(group === undefined ? {} : { segment_id: group ? (groupIds(segment)[which(group)] ?? null) : null }),
  };
}
