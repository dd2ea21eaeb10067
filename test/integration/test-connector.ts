import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { ChangeInput, SegmentInput } from "../../sandbox/segops/control-shapes.ts";
import type { WorkspacePatch } from "../../sandbox/braze/workspace-settings.ts";
import type { ConnectorKey, ConnectorSettings, ConnectorView } from "../../src/client.ts";
import { attributeChannel } from "../../src/contracts/channel.ts";
import { connectorWorkflowId } from "../../src/contracts/connector-id.ts";
import { connectorFolder, type Commit } from "../../src/contracts/log.ts";
import { ConnectorLog } from "../../src/ledger/log.ts";
import type { Stage } from "./harness.ts";
import { eventually } from "./waiting.ts";

/** One line of a ledger's exceptions. */
interface LedgerException {
  user_id: string;
  state: string;
  reason: string;
}

/** A connector with a segment and a Braze workspace of its own, seen from all sides. */
export class TestConnector {
  readonly key: ConnectorKey;
  readonly brazeKey: string;
  readonly workflowId: string;
  readonly log: ConnectorLog;
  readonly #stage: Stage;

  constructor(stage: Stage, key: ConnectorKey, brazeKey: string) {
    this.#stage = stage;
    this.key = key;
    this.brazeKey = brazeKey;
    this.workflowId = connectorWorkflowId(key);
    this.log = new ConnectorLog(stage.storage, key);
  }

  get attribute(): string {
    return `segops_segment_${this.key.segment_id}`;
  }

  get id(): number {
    return this.key.segment_id;
  }

  /** The segment's members as its next recompute will find them. */
  async segment(segment: SegmentInput): Promise<void> {
    await this.#stage.stack.segops.putSegment(this.key.tenant_slug, this.id, segment);
  }

  async workspace(settings: Omit<WorkspacePatch, "key">): Promise<void> {
    await this.#stage.stack.braze.putWorkspace({ key: this.brazeKey, ...settings });
  }

  /** SegOps computes the segment and tells nobody. Answers `computed_at`. */
  async compute(change?: ChangeInput): Promise<string> {
    const { segops } = this.#stage.stack;
    if (change) await segops.change(this.key.tenant_slug, this.id, change);
    return (await segops.recompute(this.key.tenant_slug, this.id)).computed_at;
  }

  /** SegOps computes the segment and its webhook says so. */
  async recompute(change?: ChangeInput): Promise<string> {
    const computedAt = await this.compute(change);
    await this.signal();
    return computedAt;
  }

  async signal(): Promise<void> {
    await this.#stage.connectors.recompute(JSON.parse(await this.webhookBody()));
  }

  webhookBody(): Promise<string> {
    return this.#stage.stack.segops.webhookBody(this.key.tenant_slug, this.id);
  }

  async create(
    settings: Partial<ConnectorSettings> = {},
    options: { activate?: boolean } = { activate: true },
  ): Promise<ConnectorView> {
    // Large removals go out without waiting for a person, unless the test says otherwise.
    const unguarded = { max_removal_percent: 100 };
    const required = { rest_endpoint: this.#stage.stack.brazeUrl, api_key: this.brazeKey, ...unguarded };
    return await this.#stage.connectors.create(this.key, { ...required, ...settings }, options);
  }

  /** A workspace, a computed segment and an active connector, whose first run is on its way. */
  async start(
    segment: SegmentInput,
    settings: Partial<ConnectorSettings> = {},
    workspace: Omit<WorkspacePatch, "key"> = {},
  ): Promise<void> {
    await this.workspace(workspace);
    await this.segment(segment);
    await this.compute();
    await this.create(settings);
  }

  describe(): Promise<ConnectorView> {
    return this.#stage.connectors.describe(this.key);
  }

  configure(change: ConnectorSettings): Promise<ConnectorView> {
    return this.#stage.connectors.configure(this.key, change);
  }

  /** The commit of a run, once it is in the log: known without any worker. */
  committed(number: number): Promise<Commit> {
    return eventually(`run ${number} of ${this.workflowId} is closed in the log`, () =>
      this.log.commit(number),
    );
  }

  /** The connector at rest after a run of at least this number. */
  async rested(number: number): Promise<ConnectorView> {
    await this.committed(number);
    return eventually(`${this.workflowId} rests after run ${number}`, async () => {
      const view = await this.describe();
      return view.current_run === null && (view.last_run?.number ?? 0) >= number && view;
    });
  }

  /** A run's commit, when the connector has also heard of its end. */
  async ran(number: number): Promise<Commit> {
    await this.rested(number);
    return await this.committed(number);
  }

  /** Whom Braze shows as member once all that it accepted is applied, in byte order. */
  inBraze(value: boolean | string = true, attribute = this.attribute): Promise<string[]> {
    return this.#fromBraze({ attribute, value });
  }

  inGroup(
    subscriptionGroupId: string,
    state: "subscribed" | "unsubscribed" = "subscribed",
  ): Promise<string[]> {
    return this.#fromBraze({ subscriptionGroupId, state });
  }

  async #fromBraze(selection: Parameters<Stage["stack"]["braze"]["members"]>[1]): Promise<string[]> {
    const { braze } = this.#stage.stack;
    await braze.settle(this.brazeKey);
    const found: string[] = [];
    for await (const id of braze.members(this.brazeKey, selection)) found.push(id);
    return found;
  }

  /** Whom SegOps published, in byte order. */
  inSegops(): Promise<string[]> {
    return this.#stage.stack.segops.members(this.key.tenant_slug, this.id);
  }

  /** In what Braze and SegOps differ, beside those whom Braze rejects. Two empty lists: in nothing, byte for byte. */
  async differing(except: readonly string[] = []): Promise<{ missing: string[]; extra: string[] }> {
    const [braze, segops] = [new Set(await this.inBraze()), new Set(await this.inSegops())];
    for (const id of except) segops.delete(id);
    return {
      missing: [...segops].filter((id) => !braze.has(id)),
      extra: [...braze].filter((id) => !segops.has(id)),
    };
  }

  stats() {
    return this.#stage.stack.braze.stats(this.brazeKey);
  }

  /** Requests to a path of the workspace that were answered, or that broke. */
  async requests(path = "/users/track"): Promise<number> {
    const byStatus = (await this.stats()).requests[path] ?? {};
    return Object.values(byStatus).reduce((sum, count) => sum + count, 0);
  }

  /** The ledger's exceptions in one channel after the newest run, in byte order. */
  async exceptions(channel = attributeChannel(this.attribute)): Promise<LedgerException[]> {
    const { commit } = await this.log.end();
    const file = commit?.channels.find((ledger) => ledger.channel === channel)?.exceptions;
    if (!file) return [];
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    try {
      const path = join(this.storageDir(), file.key).replaceAll("'", "''");
      const rows = await connection.runAndReadAll(
        `SELECT user_id, state, reason FROM read_parquet('${path}') ORDER BY user_id`,
      );
      return rows.getRowObjectsJS() as unknown as LedgerException[];
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }

  /** Names of the files in one of the connector's folders in storage, such as `snapshots`. */
  async files(folder: string): Promise<string[]> {
    const path = join(this.storageDir(), connectorFolder(this.key), folder);
    return (await readdir(path, { recursive: true }).catch(() => [])).sort((a, b) => (a < b ? -1 : 1));
  }

  storageDir(): string {
    return (this.#stage.stack.env["STORAGE_URL"] ?? "").slice("file:".length);
  }
}

/** `prefix0`, `prefix1` … */
export function ids(count: number, prefix = "user-"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
