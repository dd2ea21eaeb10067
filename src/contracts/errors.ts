/**
 * Every coded failure, in one table: the code is the `ApplicationFailure` type, the log field, the metric label and the
 * heading in docs/errors.md.
 *
 * - `retry`: expected trouble that time mends; Temporal tries again.
 * - `stop`: the run ends `failed` and the connector goes to `error`, until a recompute, `sync` or a changed configuration.
 * - `refuse`: an update or command that was not carried out; nothing changed.
 * - `reject`: one user whom Braze did not take; the run goes on.
 */
export interface ErrorKind {
  kind: "retry" | "stop" | "refuse" | "reject";
  /** What the HTTP gateway answers where the failure ends a request. */
  status: number;
  /** What happened, in words for whoever is on call. */
  message: string;
  /** What to do about it. */
  remedy: string;
}

export const errorTable = {
  braze_key_rejected: {
    kind: "stop",
    status: 502,
    message: "Braze answered 401: it does not accept the API key",
    remedy:
      "Check that the key is a REST API key of this workspace, that the endpoint is that workspace's instance, and configure it again.",
  },
  braze_permission_missing: {
    kind: "stop",
    status: 502,
    message: "Braze answered 403: the API key may not make this call",
    remedy:
      "Keys cannot be changed in Braze: create one with users.track (and subscription.status.set for a subscription group, users.export.ids for verification) and configure it.",
  },
  braze_endpoint_not_found: {
    kind: "stop",
    status: 502,
    message: "Braze answered 404: nothing is served at this address",
    remedy:
      "Check rest_endpoint: it must be the REST host of your instance, with https:// and no trailing slash.",
  },
  braze_redirected: {
    kind: "stop",
    status: 502,
    message: "Braze's address answered with a redirect, which is never followed",
    remedy: "Check rest_endpoint: it must be the REST host of your instance itself.",
  },
  braze_request_refused: {
    kind: "stop",
    status: 502,
    message: "Braze refused a request as a whole",
    remedy: "Look at the run's error for Braze's own words; check attribute_name, segment_id and batch_size.",
  },
  braze_rate_limited: {
    kind: "retry",
    status: 503,
    message: "Braze answered 429: too many requests",
    remedy:
      "Nothing: sending waits as long as Braze asks. Lower requests_per_second if other senders starve.",
  },
  braze_unavailable: {
    kind: "retry",
    status: 503,
    message: "Braze answered with a server error",
    remedy: "Nothing: the batch is sent again. Look at Braze's status page if it lasts.",
  },
  braze_unreachable: {
    kind: "retry",
    status: 503,
    message: "Braze could not be reached, or the connection broke",
    remedy: "Nothing: the batch is sent again. Check the worker's network if it lasts.",
  },
  braze_timeout: {
    kind: "retry",
    status: 504,
    message: "Braze did not answer in time",
    remedy: "Nothing: the batch is sent again.",
  },
  braze_answer_unreadable: {
    kind: "retry",
    status: 502,
    message: "Braze's answer could not be read",
    remedy:
      "Nothing: the batch is sent again. If it lasts, something between the worker and Braze rewrites answers.",
  },
  braze_user_blocked: {
    kind: "reject",
    status: 502,
    message: "Braze blocks this user, as it does with those of millions of sessions",
    remedy: "Not tried again by itself. Ask Braze about the user, then resync.",
  },
  braze_id_too_long: {
    kind: "reject",
    status: 502,
    message: "the user's id is longer than the 987 bytes that Braze takes",
    remedy: "Not tried again by itself. Give the user a shorter id in SegOps.",
  },
  braze_user_rejected: {
    kind: "reject",
    status: 502,
    message: "Braze rejected this user by name",
    remedy: "Tried again after a day, doubling to seven. Look the user up in Braze.",
  },
  segops_key_missing: {
    kind: "stop",
    status: 500,
    message: "no SegOps API key is known for this tenant",
    remedy: "Set SEGOPS_API_KEY, or name the tenant in SEGOPS_API_KEYS_FILE, and restart the worker.",
  },
  segops_key_rejected: {
    kind: "stop",
    status: 502,
    message: "SegOps answered 401 or 403: it does not accept the API key",
    remedy: "Create a key for this tenant in SegOps and give it to the worker.",
  },
  segment_not_found: {
    kind: "stop",
    status: 502,
    message: "SegOps does not know this segment",
    remedy: "If it was deleted on purpose, remove the connector; nobody is unset because of this.",
  },
  segment_not_computed: {
    kind: "stop",
    status: 502,
    message: "SegOps has never computed this segment",
    remedy: "Compute it in SegOps: an empty membership would clear the audience.",
  },
  segops_unavailable: {
    kind: "stop",
    status: 503,
    message: "SegOps could not be read, however often it was tried",
    remedy: "The next recompute, or the hourly look, tries again. Check SegOps.",
  },
  snapshot_unverified: {
    kind: "stop",
    status: 502,
    message: "SegOps' answer could not be proven whole, so nothing was sent",
    remedy: "The next recompute tries again. If it lasts, compare member_count with the members in SegOps.",
  },
  ledger_missing: {
    kind: "stop",
    status: 500,
    message: "a file that the ledger names is missing or damaged",
    remedy:
      "Restore it from a backup of the storage. Nothing is sent until then, because missing is never empty.",
  },
  log_unreadable: {
    kind: "stop",
    status: 500,
    message: "an entry of the connector's log cannot be read",
    remedy: "Restore it from a backup of the storage, or run the release that wrote it.",
  },
  storage_mismatch: {
    kind: "retry",
    status: 503,
    message: "the worker's storage is not the one that the connector's log is in",
    remedy:
      "Set STORAGE_URL to the right storage, or mount it, and restart the worker. Nothing is read or sent until then.",
  },
  storage_unavailable: {
    kind: "retry",
    status: 503,
    message: "the storage could not be read or written",
    remedy: "Nothing if it passes. Check the storage: space, permissions, network.",
  },
  sealed_key_unreadable: {
    kind: "stop",
    status: 500,
    message: "the stored Braze key cannot be opened for this connector",
    remedy:
      "Give the worker the private keys (SEALING_KEYS_FILE) that it was sealed for, or configure the key again.",
  },
  config_invalid: {
    kind: "refuse",
    status: 400,
    message: "the configuration was refused",
    remedy: "Mend the named fields and send it again; nothing was changed.",
  },
  connector_not_found: {
    kind: "refuse",
    status: 404,
    message: "no such connector was ever created",
    remedy: "Create it with `segops-braze connector create`.",
  },
  connector_exists: {
    kind: "refuse",
    status: 409,
    message: "the connector exists already",
    remedy: "Change it with `segops-braze connector configure`, or delete it first.",
  },
  connector_inactive: {
    kind: "refuse",
    status: 409,
    message: "the connector is inactive",
    remedy: "Activate it first.",
  },
  run_superseded: {
    kind: "stop",
    status: 409,
    message: "another writer closed this run in the log",
    remedy: "Nothing: the connector goes on from the log.",
  },
  run_stalled: {
    kind: "retry",
    status: 503,
    message: "no batch was settled for fifteen minutes",
    remedy: "Nothing: a new run follows with fresh membership. See its last error for the cause.",
  },
  run_overtaken: {
    kind: "retry",
    status: 503,
    message: "sending took over an hour while newer membership was waiting",
    remedy: "Nothing: a new run follows with the newest membership.",
  },
  run_cancelled: {
    kind: "refuse",
    status: 409,
    message: "the run was stopped by a person or by deactivation",
    remedy: "Activate or sync when it may go on; what was not sent waits in the ledger.",
  },
  run_abandoned: {
    kind: "stop",
    status: 500,
    message: "the run ended without reporting, so all that it had planned is unknown",
    remedy: "Nothing: the next run writes those users again.",
  },
  part_time_over: {
    kind: "retry",
    status: 503,
    message: "a request was not written because its time was over",
    remedy: "Nothing: the part goes on where it was settled.",
  },
  worker_stopping: {
    kind: "retry",
    status: 503,
    message: "the worker is shutting down",
    remedy: "Nothing: another worker goes on where the part was settled.",
  },
  unexpected: {
    kind: "retry",
    status: 500,
    message: "something failed that this release does not know",
    remedy: "Temporal tries again. Report it with the run's workflow id.",
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorTable;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorTable, text);
}

/**
 * A failure with a code. Its message is the table's, with a detail that names a field, a count or a status, and never a
 * key, a user id or a body.
 */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  /** How long to wait before trying again, where the other side said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, detail = "", options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(errorMessage(code, detail), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CodedError";
    this.code = code;
    this.detail = detail;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** `what happened (detail). what to do` */
export function errorMessage(code: ErrorCode, detail = ""): string {
  const { message, remedy } = errorTable[code];
  return `${message}${detail ? ` (${detail})` : ""}. ${remedy}`;
}

/** A message that `errorMessage` made, in its two halves: what happened, and what to do about it. */
export function errorHalves(code: string, message: string): { what: string; remedy: string } {
  const remedy = isErrorCode(code) ? errorTable[code].remedy : "";
  const what = remedy && message.endsWith(remedy) ? message.slice(0, -remedy.length).trim() : message;
  return { what, remedy };
}

export function errorCodeOf(error: unknown): ErrorCode {
  return error instanceof CodedError ? error.code : "unexpected";
}
