import { TextDecoderStream } from "node:stream/web";
import type { Fault, FaultOrder } from "./faults.ts";
import type { RecordedBody } from "./workspace.ts";
import type { WorkspacePatch } from "./workspace-settings.ts";
import type { RecordedWrite } from "./write-record.ts";

/** What arrived at one workspace since it was made or reset. */
export interface BrazeStats {
  /** By path, then by status; `none` is a request that never got a whole answer. Unknown paths count as `unknown`. */
  requests: Record<string, Record<string, number>>;
  objectsAccepted: number;
  objectsRejected: number;
  dataPoints: number;
  /** Objects accepted but not visible yet. */
  pending: number;
  users: number;
  maxConcurrent: number;
  /** Track requests whose exact bytes had been seen before. */
  duplicates: number;
  writesRecorded: number;
  /** Writes past the record's bound of 5 million. */
  writesDropped: number;
  bodiesRecorded: number;
}

/** Whom to list: holders of an attribute's value (default true), or those in a state of a group (default subscribed). */
export type MemberSelection =
  | { attribute: string; value?: boolean | number | string }
  | { subscriptionGroupId: string; state?: "subscribed" | "unsubscribed" };

/** Steers and inspects a running stand-in over its control API. Each method rejects when the stand-in refuses. */
export class BrazeControl {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Creates a workspace, or changes what the patch names. */
  async putWorkspace(patch: WorkspacePatch): Promise<void> {
    await this.#send("POST", "workspaces", {}, patch);
  }

  async addFault(order: FaultOrder): Promise<Fault> {
    return (await (await this.#send("POST", "faults", {}, order)).json()) as Fault;
  }

  async faults(): Promise<Fault[]> {
    const { faults } = (await (await this.#send("GET", "faults")).json()) as { faults: Fault[] };
    return faults;
  }

  async clearFaults(): Promise<void> {
    await this.#send("DELETE", "faults");
  }

  async stats(key: string): Promise<BrazeStats> {
    return (await (await this.#send("GET", "stats", { key })).json()) as BrazeStats;
  }

  /** External ids whose applied state matches, in byte order, as they stream in. */
  async *members(key: string, selection: MemberSelection): AsyncGenerator<string> {
    const query: Record<string, string> =
      "attribute" in selection
        ? { attribute: selection.attribute, value: JSON.stringify(selection.value ?? true) }
        : { subscription_group_id: selection.subscriptionGroupId, state: selection.state ?? "subscribed" };
    yield* this.#lines<string>("members", { key, ...query });
  }

  /** Waits until everything accepted is visible. */
  async settle(key: string): Promise<void> {
    await this.#send("POST", "settle", { key });
  }

  /** The write record, of one user if named; needs `recordWrites`. */
  async *writes(key: string, user?: string): AsyncGenerator<RecordedWrite> {
    yield* this.#lines<RecordedWrite>("writes", user === undefined ? { key } : { key, user });
  }

  /** Digests of the accepted track requests; needs `recordBodies`. */
  async *requestBodies(key: string): AsyncGenerator<RecordedBody> {
    yield* this.#lines<RecordedBody>("request-bodies", { key });
  }

  /** Forgets a workspace's people and history (its settings stay); without a key, everything. */
  async reset(key?: string): Promise<void> {
    await this.#send("POST", "reset", key === undefined ? {} : { key });
  }

  async *#lines<T>(route: string, query: Record<string, string>): AsyncGenerator<T> {
    const { body } = await this.#send("GET", route, query);
    if (body === null) return;
    let rest = "";
    // By hand: node:readline also ends lines at U+2028, which JSON strings may hold.
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield JSON.parse(line) as T;
    }
  }

  async #send(
    method: string,
    route: string,
    query: Record<string, string> = {},
    body?: object,
  ): Promise<Response> {
    const url = `${this.#url}/_control/${route}?${new URLSearchParams(query).toString()}`;
    const content = body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const response = await fetch(url, { method, ...content });
    if (response.ok) return response;
    throw new Error(
      `the Braze stand-in refused ${method} ${route} with ${response.status}: ${await response.text()}`,
    );
  }
}
