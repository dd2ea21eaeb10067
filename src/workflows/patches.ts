/**
 * Every switch of behaviour that old histories must not take. `patched(id)` is false while a history from before the change is
 * replayed, and true for everything after it. A row goes when no open workflow and no recorded history is older than it.
 */
export const patches = {
  runOutlivesHistory: {
    id: "run-outlives-history",
    what: "A run is begun so that it goes on where the connector continues as new, which may then happen while it is under way; it is stopped and told by its id, whichever execution of it is open.",
    why: "Each signal is an event: a burst during a long run would fill the connector's history. And a run that was reset is no child any more that could be cancelled as one.",
    since: "0.2.0",
    mayGo:
      "when the histories of 0.1.0 are no longer supported and every connector has continued as new since (a day at most)",
  },
} as const;
