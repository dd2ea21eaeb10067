import { Pool } from "undici";
import type { Dispatcher } from "undici";
import type { Deadline } from "./deadline.ts";
import { writeDeadline } from "./deadline.ts";
import { systemClock } from "./clock.ts";
import { exchange, exchangeTimeoutMs } from "./exchange.ts";
import { exportIdsRequest, readExportedUsers } from "./export-ids.ts";
import type { ShownAs } from "./export-ids.ts";
import { createGovernor } from "./governor.ts";
import type { Governor } from "./governor.ts";
import type { BrazeRequest, Limiter } from "./request.ts";
import { readAnswer } from "./response.ts";
import type { BatchAnswer, HttpAnswer } from "./response.ts";

/** Connections to one workspace at most; with one request each, also the requests in flight. */
const maxConnections = 128;

/** Braze's answers are small; a larger body comes from something else. */
const maxAnswerBytes = 1_048_576;

/** A profile is answered with all its custom attributes: fifty of them may be large. */
const maxExportBytes = 33_554_432;

/** Reading is slow by its limit, and must never take a connection from writing. */
const maxReadConnections = 2;

/** 250 a minute for companies that came to Braze since August 2024; ten times that before (reference: Braze API, section 7). */
const exportRequestsPerSecond = 250 / 60;

/** 5,000 a minute for all subscription calls of a workspace together (reference: Braze API, section 2.1). */
const subscriptionRequestsPerSecond = 5000 / 60;

/** One Braze workspace, as one key of it opens it. */
export interface Workspace {
  /** Waits for the right to make one request; see `Governor.acquire`. */
  acquire(limiter: Limiter, connectorId: string, signal: AbortSignal): Promise<void>;
  /**
   * Makes one request, once, and reads its answer. Rejects with a `CodedError`, `part_time_over` where the deadline was over
   * before the first byte. Not cancellable once begun: what was sent is to be settled, within 10 s and before the deadline.
   */
  send(request: BrazeRequest, deadline: Deadline): Promise<BatchAnswer>;
  /** Asks once what Braze shows of up to 50 users in one attribute, after `acquire("export", …)`. Rejects as `send` does. */
  readUsers(
    userIds: readonly string[],
    attributeName: string,
    deadline: Deadline,
  ): Promise<Map<string, ShownAs>>;
}

interface WorkspaceOptions {
  /** Origin of the instance's REST host. */
  endpoint: string;
  apiKey: string;
  /** The workspace's share over all workers. */
  requestsPerSecond: number;
}

/** The process's connections to Braze. */
export interface Braze {
  /** The same endpoint and key give the same connections and the same pace. */
  workspace(options: WorkspaceOptions): Workspace;
  /** Lets what is in flight settle, then closes. */
  close(): Promise<void>;
}

export function createBraze({ deliverWorkers }: { deliverWorkers: number }): Braze {
  const open = new Map<string, OpenWorkspace>();
  return {
    workspace(options) {
      const name = JSON.stringify([options.endpoint, options.apiKey]);
      const workspace = open.get(name) ?? new OpenWorkspace(options, deliverWorkers);
      open.set(name, workspace);
      workspace.limitTo(options.requestsPerSecond);
      return workspace;
    },
    async close() {
      const closing = [...open.values()].map((workspace) => workspace.close());
      open.clear();
      await Promise.all(closing);
    },
  };
}

class OpenWorkspace implements Workspace {
  readonly #apiKey: string;
  readonly #deliverWorkers: number;
  readonly #pool: Pool;
  readonly #dispatcher: Dispatcher;
  readonly #readPool: Pool;
  readonly #readDispatcher: Dispatcher;
  readonly #governors: Readonly<Record<Limiter, Governor>>;

  constructor({ endpoint, apiKey, requestsPerSecond }: WorkspaceOptions, deliverWorkers: number) {
    this.#apiKey = apiKey;
    this.#deliverWorkers = deliverWorkers;
    this.#pool = openPool(endpoint, maxConnections, maxAnswerBytes);
    this.#dispatcher = this.#pool.compose(writeDeadline);
    this.#readPool = openPool(endpoint, maxReadConnections, maxExportBytes);
    this.#readDispatcher = this.#readPool.compose(writeDeadline);
    const shares = sharesOf(requestsPerSecond, deliverWorkers);
    this.#governors = {
      track: createGovernor(shares.track),
      subscription: createGovernor(shares.subscription),
      export: createGovernor(shares.export),
    };
  }

  acquire(limiter: Limiter, connectorId: string, signal: AbortSignal): Promise<void> {
    return this.#governors[limiter].acquire(connectorId, signal);
  }

  async send(request: BrazeRequest, deadline: Deadline): Promise<BatchAnswer> {
    const answer = await this.#exchange(this.#dispatcher, request, deadline);
    return readAnswer(answer, { userIds: request.userIds, apiKey: this.#apiKey }, systemClock.wallMs());
  }

  async readUsers(
    userIds: readonly string[],
    attributeName: string,
    deadline: Deadline,
  ): Promise<Map<string, ShownAs>> {
    const answer = await this.#exchange(this.#readDispatcher, exportIdsRequest(userIds), deadline);
    return readExportedUsers(answer, { userIds, attributeName }, systemClock.wallMs());
  }

  async #exchange(
    dispatcher: Dispatcher,
    { limiter, path, body }: BrazeRequest,
    deadline: Deadline,
  ): Promise<HttpAnswer> {
    const headers = {
      authorization: `Bearer ${this.#apiKey}`,
      "content-type": "application/json",
      accept: "application/json",
      "user-agent": "segops-braze",
    };
    const answer = await exchange(dispatcher, { method: "POST", path, headers, body, deadline });
    this.#governors[limiter].observe(answer);
    return answer;
  }

  limitTo(requestsPerSecond: number): void {
    const shares = sharesOf(requestsPerSecond, this.#deliverWorkers);
    this.#governors.track.limitTo(shares.track);
    this.#governors.subscription.limitTo(shares.subscription);
    this.#governors.export.limitTo(shares.export);
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#readPool.close()]);
  }
}

function openPool(endpoint: string, connections: number, maxResponseSize: number): Pool {
  return new Pool(endpoint, {
    connections,
    pipelining: 1,
    headersTimeout: exchangeTimeoutMs,
    bodyTimeout: exchangeTimeoutMs,
    maxResponseSize,
    // One request per connection is what makes "checked just before it is written" true.
    allowH2: false,
  });
}

function sharesOf(requestsPerSecond: number, deliverWorkers: number): Record<Limiter, number> {
  return {
    track: requestsPerSecond / deliverWorkers,
    subscription: Math.min(requestsPerSecond, subscriptionRequestsPerSecond) / deliverWorkers,
    export: Math.min(requestsPerSecond, exportRequestsPerSecond) / deliverWorkers,
  };
}
