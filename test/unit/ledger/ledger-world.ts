import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChannelPlan, ConfigEntry, FileRef, LedgerRef, Plan } from "../../../src/contracts/log.ts";
import { createDuckDb } from "../../../src/ledger/duckdb.ts";
import { createLedger } from "../../../src/ledger/ledger.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { Storage } from "../../../src/storage/storage.ts";

export const folder = "connectors/acme/7/";
export const restEndpoint = "https://rest.iad-01.braze.com";
export const attribute = "attribute:segops_segment_7";

/** A ledger over a folder of its own, and a second pair of eyes on its files. */
export interface LedgerWorld {
  ledger: Ledger;
  storage: Storage;
  root: string;
  scratchDir: string;
  /** Publishes a membership as the snapshot of a run. */
  snapshot(ids: readonly string[], previous?: FileRef | null): Promise<FileRef>;
  /** All rows of a published Parquet file, in the file's own order, as JSON has them. */
  rows(ref: FileRef | null): Promise<Record<string, unknown>[]>;
  /** The same of a file on this machine. */
  rowsOf(path: string): Promise<Record<string, unknown>[]>;
  /** What scratch still holds, apart from the folder of the process itself. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
}

export async function openLedgerWorld(threads = 2): Promise<LedgerWorld> {
  const root = await mkdtemp(join(tmpdir(), "ledger-"));
  const scratchDir = join(root, "scratch");
  const storage = await openStorage(`file:${join(root, "data")}`);
  const ledger = await createLedger({ storage, scratchDir, memoryLimit: "512MB", threads });
  const eyes = createDuckDb({ memoryLimit: "256MB", threads: 1, spillFolder: join(root, "eyes") });
  const rowsOf = async (path: string) => {
    const [json] = await eyes.use((session) =>
      session.row(
        `SELECT coalesce(to_json(list(f ORDER BY n))::VARCHAR, '[]')
            FROM (SELECT f, row_number() OVER () AS n FROM read_parquet('${path}') AS f)`,
      ),
    );
    return JSON.parse(String(json)) as Record<string, unknown>[];
  };
  return {
    ledger,
    storage,
    root: join(root, "data"),
    scratchDir,
    async snapshot(ids, previous = null) {
      const builder = ledger.createSnapshot();
      try {
        await builder.addIds(ids);
        const built = await builder.finish();
        return await ledger.publishSnapshot({ built, folder, computedAt: "2026-05-02T14:32:00Z", previous });
      } finally {
        await builder.discard();
      }
    },
    rows: async (ref) => (ref ? rowsOf(join(root, "data", ref.key)) : []),
    rowsOf,
    async leftovers() {
      const found = [];
      for (const own of await readdir(scratchDir)) found.push(...(await readdir(join(scratchDir, own))));
      return found.filter((name) => name !== "spill");
    },
    async close() {
      await ledger.close();
      await eyes.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export function planOf(number: number, snapshot: FileRef | null, channels: ChannelPlan[]): Plan {
  return {
    version: 1,
    kind: "plan",
    number,
    workflow_id: `braze/acme/7/run/${number}`,
    run_id: "00000000-0000-4000-8000-000000000001",
    at: "2026-05-02T14:32:05.000Z",
    config_number: 1,
    recompute: null,
    snapshot,
    channels,
  };
}

/** The entry with which a connector's log begins. */
export const firstConfig: ConfigEntry = {
  version: 1,
  kind: "config",
  number: 1,
  at: "2026-05-02T14:00:00.000Z",
  workflow_id: "braze/acme/7",
  change_id: "first",
  change: "configured",
  status: "active",
  config: {
    rest_endpoint: restEndpoint,
    api_key: "e30.a.b.c.d",
    attribute_name: "segops_segment_7",
    exit_mode: "remove",
    create_missing_users: true,
    max_removal_percent: 30,
    requests_per_second: 1000,
    batch_size: 75,
  },
};

export async function writeFirstConfig({ ledger }: LedgerWorld): Promise<void> {
  await ledger.log({ tenant_slug: "acme", segment_id: 7 }).writeConfig(firstConfig);
}

export const emptyLedger: Pick<LedgerRef, "base" | "exceptions"> = { base: null, exceptions: null };

/** Ids that some layer or other has been known to change. */
export const oddIds = [
  "\u{1F600} smile",
  "a\0b",
  "\0",
  "line\nbreak",
  "carriage\r\nreturn",
  `"quoted", 'twice'`,
  "\uFEFFmarked",
  "\uFEFF",
  "caf\u00E9",
  "cafe\u0301",
  " spaces ",
  "Case",
  "case",
  "back\\slash",
  "\u202Eright to left",
  "\uFFFD",
  "NULL",
  "x".repeat(987),
  `${"é".repeat(493)}x`,
];
