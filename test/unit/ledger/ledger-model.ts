import type { Direction } from "../../../src/contracts/channel.ts";
import { byBytes } from "./ledger-world.ts";

/** The ledger's rules on plain sets and maps, one user at a time: what the SQL is held to. */
type BrazeState = "absent" | "present" | "unknown";

export interface Exception {
  state: BrazeState;
  reason: string;
  since: string;
  attempts: number;
  retry_at: string | null;
}

export interface LedgerModel {
  base: ReadonlySet<string>;
  exceptions: ReadonlyMap<string, Exception>;
}

interface Moving {
  former: BrazeState;
  attempts: number;
}

export interface DiffModel {
  entered: Map<string, Moving>;
  exited: Map<string, Moving>;
  kept: Map<string, Exception>;
}

export type FateModel =
  | "not started"
  | "abandoned"
  | { cursor: number; attempted: number; reported: boolean; rejects: Record<string, number[]> };

export const emptyModel: LedgerModel = { base: new Set(), exceptions: new Map() };

const waiting = ["unanswered", "not_sent", "abandoned"];
const isTooLong = (id: string) => Buffer.byteLength(id) > 987;

export function diffModel(ledger: LedgerModel, desired: ReadonlySet<string>, at: string): DiffModel {
  const diff: DiffModel = { entered: new Map(), exited: new Map(), kept: new Map() };
  for (const id of new Set([...desired, ...ledger.base, ...ledger.exceptions.keys()])) {
    const wanted = desired.has(id) ? "present" : "absent";
    const exception = ledger.exceptions.get(id);
    const known = exception?.state ?? (ledger.base.has(id) ? "present" : "absent");
    const state = isTooLong(id) ? "absent" : known;
    if (state === wanted) continue;
    const attempts = exception?.attempts ?? 0;
    const rests =
      exception &&
      !waiting.includes(exception.reason) &&
      (exception.retry_at === null || exception.retry_at > at);
    if (isTooLong(id)) {
      const since = exception?.reason === "braze_id_too_long" ? exception.since : at;
      diff.kept.set(id, { state, reason: "braze_id_too_long", since, attempts, retry_at: null });
    } else if (rests) diff.kept.set(id, exception);
    else (wanted === "present" ? diff.entered : diff.exited).set(id, { former: state, attempts });
  }
  return diff;
}

export function settleModel(
  diff: DiffModel,
  desired: ReadonlySet<string>,
  fates: Record<Direction, FateModel>,
  at: string,
): LedgerModel {
  const exceptions = new Map(diff.kept);
  for (const direction of ["entered", "exited"] as const) {
    const users = [...diff[direction]].sort(([a], [b]) => byBytes(a, b));
    for (const [place, [id, moving]] of users.entries()) {
      const left = leftBehind(moving, place, fates[direction], at);
      if (left) exceptions.set(id, { ...left, since: at });
    }
  }
  return { base: desired, exceptions };
}

function leftBehind(
  moving: Moving,
  place: number,
  fate: FateModel,
  at: string,
): Omit<Exception, "since"> | undefined {
  const { former, attempts } = moving;
  const unsent = { state: former, reason: "not_sent", attempts, retry_at: null };
  if (fate === "not started") return unsent;
  if (fate === "abandoned") return { state: "unknown", reason: "abandoned", attempts, retry_at: null };
  if (place < fate.cursor) {
    const code = Object.entries(fate.rejects).find(([, places]) => places.includes(place))?.[0];
    if (code === undefined) return undefined;
    return {
      state: former,
      reason: code,
      attempts: attempts + 1,
      retry_at: retryModel(code, attempts + 1, at),
    };
  }
  if (fate.reported && place >= fate.attempted) return unsent;
  return { state: "unknown", reason: "unanswered", attempts, retry_at: null };
}

function retryModel(code: string, rejections: number, at: string): string | null {
  if (code === "braze_user_blocked" || code === "braze_id_too_long") return null;
  const days = [1, 2, 4][rejections - 1] ?? 7;
  const time = new Date(at);
  time.setUTCDate(time.getUTCDate() + days);
  return time.toISOString();
}

/** What the commit says of it in numbers. */
export function countModel({ base, exceptions }: LedgerModel) {
  const all = [...exceptions.values()];
  const isRejected = ({ reason }: Exception) => !waiting.includes(reason);
  const held = new Set([...base].filter((id) => !exceptions.has(id)));
  for (const [id, { state }] of exceptions) if (state === "present") held.add(id);
  return {
    counts: {
      delivered: held.size,
      rejected: all.filter(isRejected).length,
      unknown: all.filter((each) => !isRejected(each) && each.state === "unknown").length,
      waiting: all.filter((each) => !isRejected(each) && each.state !== "unknown").length,
    },
    retry_at:
      all
        .map((each) => each.retry_at)
        .filter((time) => time !== null)
        .toSorted()[0] ?? null,
  };
}
