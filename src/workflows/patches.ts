/**
 * Every switch of behaviour that old histories must not take. `patched(id)` is false while a history from before the change is
 * replayed, and true for everything after it. A row goes when no open workflow and no recorded history is older than it.
 */
export const patches = {
  cleanUp: {
    id: "clean-up",
    what: "Once a day, after a look, the connector has the files deleted that no kept entry of its log names.",
    why: "Nothing else runs for every connector, however rarely its segment is computed.",
    since: "0.2.0",
    mayGo:
      "when the histories of 0.1.0 are no longer supported and every connector has continued as new since (a day at most)",
  },
} as const;
