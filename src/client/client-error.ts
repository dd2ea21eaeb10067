/** What goes wrong between a caller and the connectors, before any connector has answered. The codes are as stable as the error table's. */
export const clientErrors = {
  name_invalid: {
    status: 400,
    message: "no connector can have this name",
    remedy: "Name the tenant by its slug and the segment by its positive number, as SegOps shows them.",
  },
  worker_silent: {
    status: 503,
    message: "no worker answered",
    remedy:
      "Is `segops-braze worker` running? What was asked for may still be done once one is; look before asking again.",
  },
  temporal_unreachable: {
    status: 503,
    message: "Temporal cannot be reached",
    remedy: "Check TEMPORAL_ADDRESS, its TLS settings and that the server is up.",
  },
  temporal_namespace_missing: {
    status: 503,
    message: "Temporal does not know this namespace",
    remedy: "Check TEMPORAL_NAMESPACE, or create the namespace.",
  },
  search_attributes_missing: {
    status: 503,
    message: "the Temporal namespace lacks the connectors' search attributes",
    remedy: "Run `segops-braze setup` once for this namespace.",
  },
} as const satisfies Record<string, { status: number; message: string; remedy: string }>;

type ClientErrorCode = keyof typeof clientErrors;

/** Match on `code`. The message says what happened and what to do, never a key. `status` is what an HTTP gateway may answer. */
export class ClientError extends Error {
  readonly code: ClientErrorCode;
  readonly status: number;

  constructor(code: ClientErrorCode, detail = "", options: { cause?: unknown } = {}) {
    const { status, message, remedy } = clientErrors[code];
    super(`${message}${detail ? ` (${detail})` : ""}. ${remedy}`, options);
    this.name = "ClientError";
    this.code = code;
    this.status = status;
  }
}
