/** Every kind of fault that a round may hold. The table at the end counts each by these names. */

/** What happens to our processes, to Temporal and to the storage. */
export const processFaults = [
  "worker_killed",
  "worker_stopped",
  "worker_stopped_past_its_run",
  "temporal_killed",
  "connector_terminated",
  "run_terminated",
  "connector_reset",
  "closed_run_reset",
  "storage_obstructed",
  "stray_files",
] as const;

/** What the storage does to the workers that use it (test/chaos/faulty-storage.ts). */
export const storageFaults = [
  "put_failed",
  "answer_lost",
  "file_truncated",
  "read_failed",
  "slow_disk",
  "disk_full",
] as const;

/** The Braze stand-in's kinds (sandbox/braze/faults.ts). */
export const brazeFaults = [
  "429",
  "500",
  "502",
  "503",
  "504",
  "reset_before",
  "reset_after",
  "reset_mid",
  "truncated_201",
  "html_201",
  "queued_202",
  "hang",
  "errors_as_strings",
  "index_out_of_range",
] as const;

/** The SegOps stand-in's kinds (sandbox/segops/faults.ts). */
export const segopsFaults = [
  "500",
  "503",
  "429",
  "reset",
  "hang",
  "empty",
  "not_found",
  "truncated",
  "html",
  "recompute_mid_page",
  "duplicate_page",
  "repeated_cursor",
  "missing_page",
  "non_string_member",
  "short_count",
  "older_computed_at",
  "recompute_mid_export",
  "export_never_completes",
  "damaged_parquet",
] as const;

export type ProcessFault = (typeof processFaults)[number];
export type StorageFault = (typeof storageFaults)[number];
export type BrazeFault = (typeof brazeFaults)[number];
export type SegopsFault = (typeof segopsFaults)[number];

/** They strike an export only, which takes a segment of over 10,000. */
export const exportFaults: ReadonlySet<SegopsFault> = new Set<SegopsFault>([
  "recompute_mid_export",
  "export_never_completes",
  "damaged_parquet",
]);

/** A run that met one of these waits for half a minute or more by itself; whoever is on call restarts it. */
export const stallingSegopsFaults: ReadonlySet<string> = new Set(["hang", "export_never_completes"]);
