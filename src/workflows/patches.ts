/** Where workflows do otherwise than older histories say. A row goes once no history without its patch can be replayed any more. */
export const patches = {
  verifyWrites: {
    id: "verify-writes",
    changed: "a run reads a sample back from Braze before it compares",
    why: "what Braze dropped, or somebody else changed there, is found and written again",
    since: "0.1.0, after its histories were recorded",
    mayGo: "when no run that began before it is open, and none of its closed ones is to be queried or reset",
  },
} as const;
