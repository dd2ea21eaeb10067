import pLimit from "p-limit";
import { liveView } from "../client/live-view.ts";
import { loggedView } from "../client/logged-view.ts";
import { connectorFolder } from "../contracts/log.ts";
import type { ConnectorKey } from "../contracts/connector-id.ts";
import type { ConnectorView } from "../contracts/view.ts";
import { ConnectorLog } from "../ledger/log.ts";
import type { GatewayDeps } from "./deps.ts";
import { HttpProblem, notFoundWords } from "./problems.ts";

/** Logs read at once by one list. */
const readsAtOnce = 16;

/** How long a workflow is waited for that only knows better. */
const liveTimeoutMs = 2000;

/** A silent worker is not waited for again by each look within this time. */
const silenceMs = 15_000;

/** Connectors as their logs have them: needs neither a worker nor Temporal. */
export class ConnectorReads {
  readonly #deps: Pick<GatewayDeps, "client" | "storage">;
  #silentUntil = 0;

  constructor(deps: Pick<GatewayDeps, "client" | "storage">) {
    this.#deps = deps;
  }

  log(key: ConnectorKey): ConnectorLog {
    return new ConnectorLog(this.#deps.storage, key);
  }

  async exists(key: ConnectorKey): Promise<boolean> {
    const config = await this.log(key).latestConfig();
    return config !== undefined && config.status !== "removed";
  }

  /** A tenant's connectors by id. */
  async list(tenant: string): Promise<ConnectorView[]> {
    const limit = pLimit(readsAtOnce);
    const keys = await this.#keys(tenant);
    const views = await Promise.all(keys.map((key) => limit(() => loggedView(this.log(key), key))));
    return views.filter((view) => view !== undefined);
  }

  async #keys(tenant: string): Promise<ConnectorKey[]> {
    const above = connectorFolder({ tenant_slug: tenant, segment_id: 1 }).replace(/1\/$/, "");
    const names = await this.#deps.storage.folders(above);
    const ids = names.filter((name) => /^[1-9][0-9]{0,15}$/.test(name)).map(Number);
    return ids.sort((a, b) => a - b).map((segment_id) => ({ tenant_slug: tenant, segment_id }));
  }

  /** The connector from its log. Throws 404 where there is none. */
  async logged(key: ConnectorKey): Promise<ConnectorView> {
    const view = await loggedView(this.log(key), key);
    if (!view) throw new HttpProblem(404, notFoundWords);
    return view;
  }

  /** With the progress of its run, where its workflow tells within 2 s; from the log alone otherwise. Throws 404 where there is none. */
  async view(key: ConnectorKey): Promise<ConnectorView> {
    const logged = await this.logged(key);
    return (await this.#live(key)) ?? logged;
  }

  async #live(key: ConnectorKey): Promise<ConnectorView | undefined> {
    if (Date.now() < this.#silentUntil) return undefined;
    // Whatever went wrong: what the log says is at hand.
    const answer = await liveView(this.#deps.client, key, liveTimeoutMs).catch(() => "silent" as const);
    if (answer === "silent") this.#silentUntil = Date.now() + silenceMs;
    return typeof answer === "string" ? undefined : answer;
  }
}
