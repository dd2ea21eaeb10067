/**
 * Every switch of behaviour that old histories must not take. `patched(id)` is false while a history from before the change is
 * replayed, and true for everything after it. A row goes when no open workflow and no recorded history is older than it.
 */
export const patches = {
  verifyWrites: {
    id: "verify-writes",
    what: "A run reads a sample of what was written before back from Braze, before it compares.",
    why: "What Braze dropped in silence, or somebody else changed there, is found and written again.",
    since: "0.2.0",
    mayGo: "when the histories of 0.1.0 are no longer supported and no run that began before it is open",
  },
} as const;
