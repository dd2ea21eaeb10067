import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JSONWebKeySet } from "jose";
import { openKey } from "../../src/braze/sealed-key.ts";
import type { Channel } from "../../src/contracts/channel.ts";
import {
  connectorWorkflowId,
  parseConnectorName,
  type ConnectorKey,
} from "../../src/contracts/connector-id.ts";
import type { Commit, ConfigEntry, FileRef, LedgerRef } from "../../src/contracts/log.ts";
import { createDuckDb, type DuckDb } from "../../src/ledger/duckdb.ts";
import { ConnectorLog, type LogEnd } from "../../src/ledger/log.ts";
import { parquet } from "../../src/ledger/sql.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/storage.ts";
import type { StackEnvironment } from "../stack-environment.ts";

/** What the log of a connector says that the stand-ins held. */
export interface Remembered {
  key: ConnectorKey;
  config: ConfigEntry["config"];
  /** In clear. */
  apiKey: string;
  /** The newest membership that was fetched; null where none ever was. */
  membership: { computedAt: string; name: string; userIds: string[] } | null;
  /** Whom the ledger knows present in Braze. */
  channels: { channel: Channel; userIds: string[] }[];
  /** The workflow of a run that was cut off in its middle. */
  openRun: string | null;
}

/** The connectors of a data folder that were not removed. Throws where the log or a file that it names cannot be read. */
export async function rememberedConnectors(folders: StackEnvironment): Promise<Remembered[]> {
  const storage = await openStorage(folders.STORAGE_URL);
  const sealingKeys = JSON.parse(await readFile(folders.SEALING_KEYS_FILE, "utf8")) as JSONWebKeySet;
  const duckdb = createDuckDb({ memoryLimit: "1GB", spillFolder: join(folders.SCRATCH_DIR, "dev") });
  try {
    const remembered: Remembered[] = [];
    for (const key of await connectorKeys(storage)) {
      const config = await new ConnectorLog(storage, key).latestConfig();
      if (!config || config.status === "removed") continue;
      remembered.push(await remember({ storage, duckdb, sealingKeys }, key, config));
    }
    return remembered;
  } finally {
    await duckdb.close();
  }
}

async function connectorKeys(storage: Storage): Promise<ConnectorKey[]> {
  const names = new Set<string>();
  for await (const entry of storage.list("connectors/")) names.add(entry.split("/").slice(1, 3).join("/"));
  return [...names].map((name) => parseConnectorName(name)).filter((key) => key !== undefined);
}

interface Sources {
  storage: Storage;
  duckdb: DuckDb;
  sealingKeys: JSONWebKeySet;
}

async function remember(sources: Sources, key: ConnectorKey, entry: ConfigEntry): Promise<Remembered> {
  const { config } = entry;
  const log = new ConnectorLog(sources.storage, key);
  const end = await log.end();
  const commit = end.commit ?? (await log.commitBefore(end.lastNumber));
  const sealedFor = { connector: connectorWorkflowId(key), host: new URL(config.rest_endpoint).host };
  return {
    key,
    config,
    apiKey: await openKey(config.api_key, sealedFor, sources.sealingKeys),
    membership: await newestMembership(sources, end, commit),
    channels: await Promise.all(
      (commit?.channels ?? []).map(async (ledger) => ({
        channel: ledger.channel,
        userIds: await presentIn(sources, ledger),
      })),
    ),
    openRun: end.open ? (end.plan?.workflow_id ?? null) : null,
  };
}

/** A run that had nothing to send has no snapshot of its own: its membership was that of the ledger. */
async function newestMembership(
  { storage, duckdb }: Sources,
  { plan }: LogEnd,
  commit: Commit | undefined,
): Promise<Remembered["membership"]> {
  const recompute = plan?.recompute ?? commit?.recompute;
  const snapshot = plan?.snapshot ?? commit?.channels[0]?.base;
  if (!recompute || !snapshot) return null;
  const userIds = await userIdsOf(duckdb, `FROM ${await rowsOf(storage, snapshot)}`);
  return { computedAt: recompute.computed_at, name: recompute.segment_name, userIds };
}

/** The base without its exceptions, and those exceptions that are present. An unknown user will be written anyway. */
async function presentIn({ storage, duckdb }: Sources, { base, exceptions }: LedgerRef): Promise<string[]> {
  const none = "(SELECT NULL::VARCHAR AS user_id, NULL::VARCHAR AS state WHERE false)";
  const [members, odd] = [await rowsOf(storage, base, none), await rowsOf(storage, exceptions, none)];
  return await userIdsOf(
    duckdb,
    `FROM (SELECT user_id FROM ${members} AS m WHERE user_id NOT IN (SELECT user_id FROM ${odd} AS o)
           UNION ALL SELECT user_id FROM ${odd} AS p WHERE state = 'present')`,
  );
}

async function rowsOf(storage: Storage, ref: FileRef | null, none = ""): Promise<string> {
  if (!ref) return none;
  const copy = await storage.localCopy(ref.key, "");
  if (!copy)
    throw new Error(
      `${ref.key} is missing in this folder's storage. Restore it, or begin with another --dir.`,
    );
  return parquet([copy.path]);
}

/** As one JSON text: DuckDB's column reader drops a leading U+FEFF. */
async function userIdsOf(duckdb: DuckDb, from: string): Promise<string[]> {
  const [json] = await duckdb.use((session) =>
    session.row(`SELECT coalesce(to_json(list(user_id))::VARCHAR, '[]') ${from}`),
  );
  return JSON.parse(String(json)) as string[];
}
