/**
 * Each switch by which histories of older workflows go on as they were begun: `patched(<row>.id)` is false where a history had
 * passed that place before the change. A row goes once no open history is older than its release (a connector begins a new
 * one daily, a run lasts hours), and not before the archive of histories says so.
 */
interface Patch {
  id: string;
  changed: string;
  why: string;
  since: string;
  until: string;
}

export const patches = {
  storageIdInMemo: {
    id: "storage-id-in-memo",
    changed: "a connector that has read its log notes the storage's id in its memo",
    why: "a worker that starts with another storage finds it there; a history may hold an answer with the id that an older workflow got during a deployment and did nothing with",
    since: "0.2.0",
    until: "two releases later",
  },
  verifyWrites: {
    id: "verify-writes",
    changed: "a run reads a sample of what was written before back from Braze, before it compares",
    why: "what Braze dropped in silence, or somebody else changed there, is found and written again",
    since: "0.2.0",
    until: "two releases later",
  },
  cleanUp: {
    id: "clean-up",
    changed:
      "once a day, after a look, a connector has the files deleted that no kept entry of its log names",
    why: "nothing else runs for every connector, however rarely its segment is computed",
    since: "0.2.0",
    until: "two releases later",
  },
  runOutlivesHistory: {
    id: "run-outlives-history",
    changed:
      "a run goes on where the connector continues as new, also while it is under way; it is stopped and told by its id, whichever execution of it is open",
    why: "each signal is an event: a burst during a long run would fill the connector's history; and a run that was reset is no child any more that could be cancelled as one",
    since: "0.2.0",
    until: "two releases later",
  },
} as const satisfies Record<string, Patch>;
