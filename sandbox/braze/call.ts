import type { Answer } from "./answer.ts";
import type { JsonObject } from "./json.ts";
import type { LimitPool } from "./limits.ts";
import type { Workspace } from "./workspace.ts";

/** One request that passed authentication, permission, quota and parsing. */
export interface Call {
  workspace: Workspace;
  query: URLSearchParams;
  /** The parsed body; an empty object for GET. */
  body: JsonObject;
  requestId: number;
  /** When it was accepted, epoch ms. */
  at: number;
  /** sha256 of the body in hex; empty where bodies are not noted. */
  digest: string;
  /** Scheme and host the client used, for links. */
  origin: string;
}

export interface Endpoint {
  method: "GET" | "POST";
  permission: string;
  maxBytes: number;
  /** What a body over `maxBytes` gets; undefined is the workspace's `oversizeAnswer`. */
  oversize?: "json400";
  pool?: LimitPool;
  /** Digests of bodies are kept, to count re-sends. */
  notesBodies?: boolean;
  handle(call: Call): Answer;
}
