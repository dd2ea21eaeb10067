import type { ConnectorView, LoggedRun } from "../api/wire.ts";
import { useRuns } from "../api/queries.ts";
import { Badge, type Tone } from "../ui/badge.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Moment } from "../ui/moment.tsx";
import { Table, type Column } from "../ui/table.tsx";
import { formatCount, formatDuration } from "../ui/text.ts";
import { ErrorCode } from "./error-code.tsx";
import { TemporalLink } from "./temporal-link.tsx";
import { Verified } from "./verified.tsx";

/** Newest first; older ones on demand. */
export function Runs({ view }: { view: ConnectorView }) {
  const query = useRuns(view.id, `${view.current_run?.number ?? ""}/${view.last_run?.number ?? ""}`);
  return (
    <section>
      <h2>Runs</h2>
      <Loaded query={query} what="runs">
        {({ pages }) => {
          const runs = pages.flatMap(({ results }) => results);
          if (runs.length === 0) return <p className="empty">No runs yet.</p>;
          return (
            <Table
              caption="Runs, newest first"
              columns={columns}
              rows={runs}
              keyOf={({ number }) => number}
            />
          );
        }}
      </Loaded>
      {query.hasNextPage && (
        <button
          type="button"
          className="outline secondary small"
          aria-busy={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          Older runs
        </button>
      )}
    </section>
  );
}

type Finished = Exclude<LoggedRun, { outcome: null }>;

const tones: Record<Finished["outcome"], Tone> = {
  clean: "good",
  no_change: "quiet",
  partial: "warn",
  held: "warn",
  failed: "bad",
  superseded: "quiet",
};

const columns: readonly Column<LoggedRun>[] = [
  { title: "Run", cell: (run) => <Named run={run} /> },
  { title: "Outcome", cell: (run) => <Outcome run={run} /> },
  { title: "Started", cell: ({ started_at }) => <Moment at={started_at} /> },
  {
    title: "Took",
    isNumber: true,
    cell: (run) => (run.outcome === null ? "" : formatDuration(secondsOf(run))),
  },
  { title: "Entered", isNumber: true, cell: counted("entered") },
  { title: "Exited", isNumber: true, cell: counted("exited") },
  { title: "Rejected", isNumber: true, cell: counted("rejected") },
  { title: "Unknown", isNumber: true, cell: counted("unknown") },
  { title: "Waiting", isNumber: true, cell: counted("waiting") },
  { title: "Requests", isNumber: true, cell: counted("requests") },
];

function Named({ run }: { run: LoggedRun }) {
  return (
    <>
      {run.number} {run.outcome !== null && <small className="muted">{run.reason}</small>}{" "}
      <small>
        <TemporalLink workflowId={run.workflow_id} text="history" />
      </small>
    </>
  );
}

function Outcome({ run }: { run: LoggedRun }) {
  if (run.outcome === null) return <Badge tone="quiet">open</Badge>;
  return (
    <>
      <Badge tone={tones[run.outcome]}>{run.outcome.replaceAll("_", " ")}</Badge>{" "}
      {run.error && <ErrorCode code={run.error.code} />}
      {run.verification && <Verified verification={run.verification} />}
    </>
  );
}

function counted(name: "entered" | "exited" | "rejected" | "unknown" | "waiting" | "requests") {
  return (run: LoggedRun) => (run.outcome === null ? "" : formatCount(run[name]));
}

function secondsOf({ started_at, finished_at }: Finished): number {
  return Math.max(0, (Date.parse(finished_at) - Date.parse(started_at)) / 1000);
}
