import { compareComputedAt } from "../contracts/recompute.ts";
import type { Segment } from "./segment.ts";

/** The oldest times that a membership may have; undefined: nothing is known. */
export interface KnownTimes {
  /** From the signal that asked for the run. */
  notBefore?: string | undefined;
  /** Of the snapshot that the ledger holds. */
  ledgerComputedAt?: string | undefined;
}

interface Evidence extends KnownTimes {
  /** The segment as it was before the first and after the last member was read. */
  before: Segment;
  after: Segment;
  /** Distinct strings received, whether they can be sent or not. */
  distinctReceived: number;
  /** Members received that are no string. */
  notStrings: number;
}

/** Why a membership is not proven whole, in counts and times; undefined: it is. */
export function proveSnapshot(evidence: Evidence): string | undefined {
  const { before, after } = evidence;
  if (before.computedAt === null || after.computedAt === null) return "the segment has no last_computed_at";
  if (compareComputedAt(before.computedAt, after.computedAt) !== 0) {
    return `last_computed_at changed from ${before.computedAt} to ${after.computedAt} while members were read`;
  }
  return whyOlder(before.computedAt, evidence) ?? whyMiscounted(evidence);
}

/** Why a segment's state is older than what is known to exist; undefined: it is not. */
export function whyOlder(computedAt: string, known: KnownTimes): string | undefined {
  const { notBefore, ledgerComputedAt } = known;
  if (notBefore !== undefined && compareComputedAt(computedAt, notBefore) < 0) {
    return `last_computed_at ${computedAt} is older than the recompute's ${notBefore}`;
  }
  if (ledgerComputedAt !== undefined && compareComputedAt(computedAt, ledgerComputedAt) < 0) {
    return `last_computed_at ${computedAt} is older than the ledger's ${ledgerComputedAt}`;
  }
  return undefined;
}

// SegOps does not document a member_count on every answer. Where it is missing, the rest of the proof must do, for anything but an
// empty answer: that would unset everybody on no evidence. Whether a member without a string id is counted is not known: either will do.
function whyMiscounted({ before, after, distinctReceived, notStrings }: Evidence): string | undefined {
  const counts = [before.memberCount, after.memberCount].filter((count) => count !== null);
  const wrong = counts.find((count) => count < distinctReceived || count > distinctReceived + notStrings);
  if (wrong !== undefined) {
    const junk = notStrings > 0 ? ` and ${notStrings} without an id` : "";
    return `member_count is ${wrong}, but ${distinctReceived} distinct members${junk} were received`;
  }
  if (counts.length === 0 && distinctReceived === 0) {
    return "no members were received and member_count is missing";
  }
  return undefined;
}
