import type { ConfigEntry } from "../contracts/log.ts";

/**
 * A connector's life. `inactive`, `active` and `error` are what SegOps shows; the others are what it never sees for long:
 * `opening` (reading the log), `blocked` (the log cannot be read), `none` (never created), `removing` (unsetting everyone),
 * `removed` (the log ends with a tombstone).
 */
export type Status =
  | "opening"
  | "blocked"
  | "none"
  | "inactive"
  | "active"
  | "error"
  | "removing"
  | "removed";

export type StatusEvent =
  | { type: "opened"; config: ConfigEntry["status"] | null; failed: boolean }
  | { type: ConfigEntry["change"] }
  | { type: "runEnded"; failed: boolean };

/** Every move a change of the settings or the end of a run makes. The diagram in ARCHITECTURE.md is compared with it. */
export const statusMoves = {
  none: { configured: "inactive" },
  inactive: {
    configured: "inactive",
    activated: "active",
    deactivated: "inactive",
    removing: "removing",
    removed: "removed",
  },
  active: {
    configured: "active",
    activated: "active",
    deactivated: "inactive",
    runFailed: "error",
    runSucceeded: "active",
    removing: "removing",
    removed: "removed",
  },
  error: {
    configured: "active",
    activated: "active",
    deactivated: "inactive",
    runFailed: "error",
    runSucceeded: "active",
    removing: "removing",
    removed: "removed",
  },
  removing: {
    configured: "inactive",
    activated: "active",
    deactivated: "inactive",
    removing: "removing",
    removed: "removed",
  },
  removed: { configured: "inactive" },
} as const satisfies Partial<Record<Status, Partial<Record<string, Status>>>>;

/** The status after an event; an event that does not concern the status leaves it. */
export function nextStatus(status: Status, event: StatusEvent): Status {
  if (event.type === "opened") return openedStatus(event.config, event.failed);
  const name = event.type === "runEnded" ? (event.failed ? "runFailed" : "runSucceeded") : event.type;
  const moves: Partial<Record<string, Status>> =
    (statusMoves as Partial<Record<Status, object>>)[status] ?? {};
  return moves[name] ?? status;
}

function openedStatus(config: ConfigEntry["status"] | null, failed: boolean): Status {
  if (config === null) return "none";
  return config === "active" && failed ? "error" : config;
}
