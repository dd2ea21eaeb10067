import { createHash, randomUUID } from "node:crypto";
import type { ConnectorSettings } from "../client.ts";
import { ClientError, CodedError, type Connectors } from "../client.ts";
import { connectorName, type ConnectorKey } from "../contracts/connector-id.ts";
import type { ConnectorView } from "../contracts/view.ts";
import type { ConnectorReads } from "./connector-reads.ts";

/** How long a request that no worker took may still be done, and so be repeated as itself. */
const repeatableMs = 10 * 60_000;

interface Unanswered {
  fingerprint: string;
  updateId: string;
  at: number;
}

/** One request, as its repetition is told from another one. */
export interface Asked {
  /** The same for the same request, such as method, path and body. */
  request: string;
  /** Where an idempotency key says what is the same: the id under which it was first tried. */
  updateId?: string | undefined;
}

/** What a PATCH or a PUT may change. */
interface Change {
  status?: "active" | "inactive" | undefined;
  config?: ConnectorSettings | undefined;
}

/**
 * Writes are updates of the connector's workflow. One that no worker took in time may still be done, so its repetition must carry its
 * id: kept in storage where there is an idempotency key; else the id is remembered while it is the connector's last request. A later one
 * of another kind ends that, because then the same words would mean something new (activate, deactivate, activate).
 */
export class ConnectorWrites {
  readonly #connectors: Connectors;
  readonly #reads: ConnectorReads;
  readonly #unanswered = new Map<string, Unanswered>();

  constructor(connectors: Connectors, reads: ConnectorReads) {
    this.#connectors = connectors;
    this.#reads = reads;
  }

  async create(key: ConnectorKey, settings: ConnectorSettings, asked: Asked): Promise<ConnectorView> {
    return await this.#once(key, asked, async (updateId) => {
      if (await this.#reads.exists(key)) return await this.#ownOrConflict(key, updateId);
      try {
        return await this.#connectors.create(key, settings, { updateId });
      } catch (error) {
        if (!(error instanceof CodedError) || error.code !== "connector_exists") throw error;
        return await this.#ownOrConflict(key, updateId);
      }
    });
  }

  /** It may be there because an earlier try of this very request made it. */
  async #ownOrConflict(key: ConnectorKey, updateId: string): Promise<ConnectorView> {
    const config = await this.#reads.log(key).latestConfig();
    if (config?.change_id.endsWith(`/${updateId}`)) return await this.#reads.logged(key);
    throw new CodedError("connector_exists", connectorName(key));
  }

  /**
   * In the order in which nothing is delivered that the caller does not want: stop first, start last. Each is an update of its own,
   * all under the request's id.
   */
  async change(
    key: ConnectorKey,
    { config, status }: Change,
    asked: Asked,
  ): Promise<ConnectorView | undefined> {
    return await this.#once(key, asked, async (updateId) => {
      const [toStatus, toConfig] = [{ updateId: `${updateId}-status` }, { updateId: `${updateId}-config` }];
      let view: ConnectorView | undefined;
      if (status === "inactive") view = await this.#connectors.deactivate(key, toStatus);
      if (config) view = await this.#connectors.configure(key, config, toConfig);
      if (status === "active") view = await this.#connectors.activate(key, toStatus);
      return view;
    });
  }

  remove(key: ConnectorKey, cleanup: boolean, asked: Asked): Promise<ConnectorView> {
    return this.#once(key, asked, (updateId) => this.#connectors.remove(key, { cleanup, updateId }));
  }

  run(key: ConnectorKey, kind: "sync" | "resync", asked: Asked): Promise<ConnectorView> {
    return this.#once(key, asked, (updateId) => this.#connectors[kind](key, { updateId }));
  }

  approveRemoval(key: ConnectorKey, digest: string, asked: Asked): Promise<ConnectorView> {
    return this.#once(key, asked, (updateId) => this.#connectors.approveRemoval(key, digest, { updateId }));
  }

  async #once<Answer>(
    key: ConnectorKey,
    { request, updateId: given }: Asked,
    ask: (updateId: string) => Promise<Answer>,
  ): Promise<Answer> {
    const name = connectorName(key);
    const fingerprint = digest(request);
    const updateId = given ?? this.#idFor(name, fingerprint);
    // Before it is known how it ends: whatever follows it is another request.
    this.#unanswered.set(name, { fingerprint, updateId, at: Date.now() });
    try {
      const answer = await ask(updateId);
      this.#forget(name, updateId);
      return answer;
    } catch (error) {
      if (!mayStillBeDone(error)) this.#forget(name, updateId);
      throw error;
    }
  }

  #idFor(name: string, fingerprint: string): string {
    const last = this.#unanswered.get(name);
    const isRepeated = last?.fingerprint === fingerprint && Date.now() - last.at < repeatableMs;
    return isRepeated ? last.updateId : `http-${randomUUID()}`;
  }

  #forget(name: string, updateId: string): void {
    if (this.#unanswered.get(name)?.updateId === updateId) this.#unanswered.delete(name);
  }
}

function mayStillBeDone(error: unknown): boolean {
  return !(error instanceof CodedError) && !(error instanceof ClientError && error.status < 500);
}

function digest(request: string): string {
  return createHash("sha256").update(request).digest("hex");
}
