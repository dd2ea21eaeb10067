/** One entry as the storage itself knows it. */
export interface StoredEntry {
  key: string;
  bytes: number;
  /** When it was written, by the storage's own clock. */
  writtenAtMs: number;
}

/**
 * The few operations that the ledger and its log need of a place to keep things. A key is a relative path of safe characters
 * (`connectors/acme/7/log/000000000001.plan.json`). Whatever a driver cannot do for reasons outside the key (space, permission,
 * network) is `storage_unavailable`.
 */
export interface Storage {
  /** Creates the entry only if its key is free, whole or not at all: this is the fence between two writers. */
  putIfAbsent(key: string, body: Uint8Array | string): Promise<"created" | "exists">;
  /** The entry's bytes; undefined when there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Keeps a file under a key that no other attempt uses; one that is already there is left alone. */
  upload(key: string, localPath: string): Promise<void>;
  /**
   * The entry as a file on this machine, undefined when there is none. A driver of remote storage puts a copy into `intoDir`;
   * the folder driver answers its own file, which nobody may change or remove.
   */
  localCopy(key: string, intoDir: string): Promise<{ path: string; bytes: number } | undefined>;
  /** Keys that start with `prefix`, in byte order. */
  list(prefix: string): AsyncIterable<string>;
  /** The same entries with size and time, which may cost a look at each. One that goes away meanwhile may be left out. */
  entries(prefix: string): AsyncIterable<StoredEntry>;
  /** Names of the folders right below one (`connectors/acme/`), in byte order, without a look at what they hold. */
  folders(folder: string): Promise<string[]>;
  /** Removes the entry; one that is not there is fine. */
  delete(key: string): Promise<void>;
}
