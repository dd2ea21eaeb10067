/** The rules that keep a ledger right, each of which the simulation can leave out. */
export interface Rules {
  /** True: what was sent counts as applied, and nobody is an exception. */
  naive: boolean;
  /** A user whose answer is missing, or whose run died unreported, is unknown and written again whatever the diff says. */
  unknown: boolean;
  /** So long after the close of a run nobody is written whom it may have written. */
  quietWindowMs: number;
  /** An attempt begins with a look at the log: the plan is its own and has no commit. */
  lookBeforeSending: boolean;
  /** An attempt writes nothing later than a minute after that look. */
  attemptDeadline: boolean;
  /** An attempt that follows one which did not report its end says that all of its part may have been sent. */
  coverLostAttempts: boolean;
  /** A rejected user whom another request of the run may have written is unknown, beside being rejected. */
  doubtfulRejects: boolean;
  /** A commit is not created later than half a minute after the time it bears: it is made anew with a newer one. */
  freshCommits: boolean;
  /** Who closes a run that has no plan takes the plan's place first, so that its owner cannot begin to send. */
  fencePlanless: boolean;
}

const minuteMs = 60_000;

export const allRules: Rules = {
  naive: false,
  unknown: true,
  quietWindowMs: 7 * minuteMs,
  lookBeforeSending: true,
  attemptDeadline: true,
  coverLostAttempts: true,
  doubtfulRejects: true,
  freshCommits: true,
  fencePlanless: true,
};

/** What the table shows, a line each. */
export const ruleSets: Record<string, Rules> = {
  "naive ledger": { ...allRules, naive: true },
  "without unknown": { ...allRules, unknown: false },
  "without quiet window": { ...allRules, quietWindowMs: 0 },
  "quiet window of 2 minutes": { ...allRules, quietWindowMs: 2 * minuteMs },
  "without the look before sending": { ...allRules, lookBeforeSending: false },
  "without the attempt's deadline": { ...allRules, attemptDeadline: false },
  "without cover for lost attempts": { ...allRules, coverLostAttempts: false },
  "without doubtful rejects": { ...allRules, doubtfulRejects: false },
  "without fresh commits": { ...allRules, freshCommits: false },
  "without the fence of a run without plan": { ...allRules, fencePlanless: false },
  "all rules": allRules,
};
