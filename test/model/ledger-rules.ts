import { byBytes } from "./byte-order.ts";

/**
 * The ledger's rules on plain sets and maps, one user at a time: what a run writes, and what its commit makes of it. The
 * SQL of src/ledger is held to this module on random inputs, and the simulation sets it against faults.
 * Times are ISO 8601 in UTC with milliseconds, so that they compare as text.
 */
type BrazeState = "absent" | "present" | "unknown";
type Direction = "entered" | "exited";

export interface Exception {
  state: BrazeState;
  reason: string;
  since: string;
  attempts: number;
  retry_at: string | null;
}

/** What we know Braze holds in one channel. */
export interface Ledger {
  base: ReadonlySet<string>;
  exceptions: ReadonlyMap<string, Exception>;
}

interface Moving {
  former: BrazeState;
  attempts: number;
}

export interface PlannedPart {
  direction: Direction;
  /** In byte order: offsets in a part are places in this list. */
  users: readonly (readonly [id: string, moving: Moving])[];
}

export interface LedgerPlan {
  desired: ReadonlySet<string>;
  /** Exceptions that the run leaves alone. */
  kept: ReadonlyMap<string, Exception>;
  parts: readonly PlannedPart[];
}

/** A run of the log that was planned and committed. */
export interface ClosedRun {
  /** The commit's time. */
  at: string;
  plan: LedgerPlan;
  /** After the commit. */
  ledger: Ledger;
}

export interface PartProgress {
  cursor: number;
  attempted: number;
  /** Reason code → offsets. */
  rejects: Record<string, number[]>;
  /** Offsets of rejected users whom another request of the run may have written: an earlier one, or one of another attempt. */
  doubtful?: readonly number[];
}

export type PartFate = "not started" | "abandoned" | (PartProgress & { reported: boolean });

export interface PlanOptions {
  at: string;
  /** Users whom a recent run wrote, and until when they must be left alone. */
  quietUntil?: ReadonlyMap<string, string>;
  /** Holds large removals for a person; without it all exits go out. */
  guard?: Guard | undefined;
  /** Whoever is desired is written again, and no rejection rests. */
  resync?: boolean | undefined;
  /** Users of one part at most. */
  partUsers?: number;
}

interface Guard {
  /** Users who were present before the run, or perhaps so. */
  audience: number;
  /** Members that SegOps names now. */
  members: number;
  maxPercent: number;
  /** Whom a person has let go. */
  approved: ReadonlySet<string>;
}

export const emptyLedger: Ledger = { base: new Set(), exceptions: new Map() };

const waiting = ["unanswered", "not_sent", "abandoned", "quiet", "held"];
const isTooLong = (id: string) => id.length > 329 && Buffer.byteLength(id) > 987;

/** What a run is to write: whoever is not, or not surely, as desired, and whom no rule tells it to leave alone. */
export function planLedger(ledger: Ledger, desired: ReadonlySet<string>, options: PlanOptions): LedgerPlan {
  const kept = new Map<string, Exception>();
  const moving = { entered: new Map<string, Moving>(), exited: new Map<string, Moving>() };
  for (const id of new Set([...desired, ...ledger.base, ...ledger.exceptions.keys()])) {
    const wanted = desired.has(id) ? "present" : "absent";
    const state = stateOf(ledger, id, options.resync === true && wanted === "present");
    if (state === wanted) continue;
    const known = ledger.exceptions.get(id);
    const moved = { former: state, attempts: known?.attempts ?? 0 };
    const resting = restingException(known, id, moved, options);
    if (resting) kept.set(id, resting);
    else moving[wanted === "present" ? "entered" : "exited"].set(id, moved);
  }
  const leave = (id: string, reason: "held" | "quiet", retry_at: string | null) => {
    const direction = moving.entered.has(id) ? "entered" : "exited";
    const moved = moving[direction].get(id);
    if (!moved) return;
    moving[direction].delete(id);
    const since = sinceIfStill(ledger.exceptions.get(id), reason, options.at);
    kept.set(id, { state: moved.former, reason, since, attempts: moved.attempts, retry_at });
  };
  // First the guard: who passes it has begun to leave, also if the quiet window then makes the exit wait.
  for (const id of heldExits(ledger, [...moving.exited.keys()], options.guard)) leave(id, "held", null);
  for (const [id, until] of options.quietUntil ?? []) leave(id, "quiet", until);
  const { partUsers = Number.POSITIVE_INFINITY } = options;
  const parts = [
    ...cutParts("entered", moving.entered, partUsers),
    ...cutParts("exited", moving.exited, partUsers),
  ];
  return { desired, kept, parts };
}

/** A user whose id no request can carry is not in Braze, whatever the ledger says. Written anew: nothing that is known counts. */
function stateOf({ base, exceptions }: Ledger, id: string, anew: boolean): BrazeState {
  if (isTooLong(id)) return "absent";
  const state = exceptions.get(id)?.state ?? (base.has(id) ? "present" : "absent");
  return anew && state === "present" ? "unknown" : state;
}

/** The exception as which a user stays whom no request may name, or whom Braze rejected of late. */
function restingException(
  known: Exception | undefined,
  id: string,
  { former, attempts }: Moving,
  { at, resync }: PlanOptions,
): Exception | undefined {
  if (isTooLong(id)) {
    const reason = "braze_id_too_long";
    return { state: former, reason, since: sinceIfStill(known, reason, at), attempts, retry_at: null };
  }
  const rests = known && isRejected(known) && (known.retry_at === null || known.retry_at > at);
  return rests && !resync ? known : undefined;
}

function sinceIfStill(known: Exception | undefined, reason: string, at: string): string {
  return known?.reason === reason ? known.since : at;
}

const [freeExits, smallestGuarded] = [100, 10];

/**
 * The exits that wait for a person: all of those that begin now, if they are over `maxPercent` of the audience and over a hundred, or
 * if nobody would be left of ten or more. Whom an earlier run let go has been counted then, and whom a person let go counts no more.
 */
function heldExits(
  { base, exceptions }: Ledger,
  exits: readonly string[],
  guard: Guard | undefined,
): string[] {
  if (!guard) return [];
  const { audience, members, maxPercent, approved } = guard;
  const fresh = exits.filter(
    (id) => base.has(id) || (exceptions.get(id)?.reason === "held" && !approved.has(id)),
  );
  const isMuch = fresh.length > freeExits && fresh.length * 100 > audience * maxPercent;
  const isAll = members === 0 && audience >= smallestGuarded;
  return isMuch || isAll ? fresh : [];
}

function cutParts(direction: Direction, users: ReadonlyMap<string, Moving>, size: number): PlannedPart[] {
  const sorted = [...users].sort(([a], [b]) => byBytes(a, b));
  const parts: PlannedPart[] = [];
  for (let from = 0; from < sorted.length; from += size) {
    parts.push({ direction, users: sorted.slice(from, from + size) });
  }
  return parts;
}

/**
 * Whom the runs that closed later than `windowMs` before `at` may have written, and until when they stay untouched: the users of
 * their parts, except those of whom the run's own commit says that nothing was sent.
 */
export function quietUsers(runs: readonly ClosedRun[], at: string, windowMs: number): Map<string, string> {
  const quiet = new Map<string, string>();
  const from = isoTime(Date.parse(at) - windowMs);
  for (const run of runs) {
    if (run.at <= from || run.plan.parts.length === 0) continue;
    const until = isoTime(Date.parse(run.at) + windowMs);
    for (const [id] of run.plan.parts.flatMap((part) => part.users)) {
      if (run.ledger.exceptions.get(id)?.reason === "not_sent") continue;
      if (until > (quiet.get(id) ?? "")) quiet.set(id, until);
    }
  }
  return quiet;
}

/** The ledger after a run. Without `unknown`, users whose answer is missing count as if they had never been sent. */
export function settleLedger(
  plan: LedgerPlan,
  fates: readonly PartFate[],
  { at, unknown = true }: { at: string; unknown?: boolean },
): Ledger {
  const exceptions = new Map(plan.kept);
  for (const [index, { users }] of plan.parts.entries()) {
    for (const [place, [id, moving]] of users.entries()) {
      const left = leftBehind(moving, place, fates[index] ?? "not started", at);
      if (!left) continue;
      const state = left.state === "unknown" && !unknown ? moving.former : left.state;
      exceptions.set(id, { ...left, state, since: at });
    }
  }
  return { base: plan.desired, exceptions };
}

function leftBehind(
  { former, attempts }: Moving,
  place: number,
  fate: PartFate,
  at: string,
): Omit<Exception, "since"> | undefined {
  const unsent = { state: former, reason: "not_sent", attempts, retry_at: null };
  if (fate === "not started") return unsent;
  if (fate === "abandoned") return { state: "unknown", reason: "abandoned", attempts, retry_at: null };
  if (place < fate.cursor) {
    const code = Object.entries(fate.rejects).find(([, places]) => places.includes(place))?.[0];
    if (code === undefined) return undefined;
    return {
      state: fate.doubtful?.includes(place) ? "unknown" : former,
      reason: code,
      attempts: attempts + 1,
      retry_at: retryTime(code, attempts + 1, at),
    };
  }
  if (fate.reported && place >= fate.attempted) return unsent;
  return { state: "unknown", reason: "unanswered", attempts, retry_at: null };
}

function retryTime(code: string, rejections: number, at: string): string | null {
  if (code === "braze_user_blocked" || code === "braze_id_too_long") return null;
  const days = [1, 2, 4][rejections - 1] ?? 7;
  const time = new Date(at);
  time.setUTCDate(time.getUTCDate() + days);
  return time.toISOString();
}

/** Refused by Braze by name: no run of the next minutes tries again. */
export function isRejected({ reason }: Exception): boolean {
  return !waiting.includes(reason);
}

/** The earliest time that an exception waits for. */
export function nextRetry({ exceptions }: Ledger): string | null {
  let first: string | null = null;
  for (const { retry_at } of exceptions.values()) {
    if (retry_at !== null && (first === null || retry_at < first)) first = retry_at;
  }
  return first;
}

/** What the commit says of it in numbers. */
export function countUsers({ base, exceptions }: Ledger) {
  const all = [...exceptions.values()];
  const held = new Set([...base].filter((id) => !exceptions.has(id)));
  for (const [id, { state }] of exceptions) if (state === "present") held.add(id);
  return {
    delivered: held.size,
    rejected: all.filter(isRejected).length,
    unknown: all.filter((each) => !isRejected(each) && each.state === "unknown").length,
    waiting: all.filter((each) => !isRejected(each) && each.state !== "unknown").length,
  };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
