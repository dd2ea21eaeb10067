import { useEffect } from "react";
import { Link } from "wouter";
import { ApiError } from "../api/call.ts";
import { pageCount, useActivations, useMayWrite } from "../api/queries.ts";
import type { ActivationsFilter, ConnectorStatus, ConnectorView } from "../api/wire.ts";
import { LastError } from "../connector/last-error.tsx";
import { StatusBadge } from "../connector/status-badge.tsx";
import { StatusSwitch } from "../connector/status-switch.tsx";
import { totals } from "../connector/totals.ts";
import { Badge } from "../ui/badge.tsx";
import { Heading } from "../ui/heading.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Moment } from "../ui/moment.tsx";
import { Pager } from "../ui/pager.tsx";
import { Table, type Column } from "../ui/table.tsx";
import { formatCount } from "../ui/text.ts";

interface ActivationsProps {
  filter: ActivationsFilter;
  onFilter: (filter: ActivationsFilter) => void;
}

export function ActivationsScreen({ filter, onFilter }: ActivationsProps) {
  const query = useActivations(filter);
  const mayWrite = useMayWrite();
  const { page } = filter;
  // Its last connector was deleted, and with it the page.
  const isPastEnd = page > 1 && query.error instanceof ApiError && query.error.status === 404;
  useEffect(() => {
    if (isPastEnd) onFilter({ ...filter, page: page - 1 });
  }, [isPastEnd, filter, page, onFilter]);
  return (
    <>
      <div className="title-line">
        <Heading>Activations</Heading>
        {mayWrite && (
          <Link href="/activations/new" className="button">
            + New Connector
          </Link>
        )}
      </div>
      <StatusFilter value={filter.status} onChange={(status) => onFilter({ page: 1, status })} />
      <Loaded query={query} what="activations">
        {({ count, results }) =>
          results.length === 0 ? (
            <Nothing status={filter.status} />
          ) : (
            <>
              <Table caption="Activations" columns={columns} rows={results} keyOf={({ id }) => id} />
              <Pager page={page} pages={pageCount(count)} onPage={(page) => onFilter({ ...filter, page })} />
            </>
          )
        }
      </Loaded>
    </>
  );
}

const columns: readonly Column<ConnectorView>[] = [
  {
    title: "Segment",
    cell: (view) => (
      <>
        <Link href={`/activations/${view.id}`}>{view.segment_name || `Segment ${view.segment}`}</Link>
        <br />
        <small className="muted">Braze · segment {view.segment}</small>
      </>
    ),
  },
  {
    title: "Status",
    cell: (view) => (
      <>
        <StatusBadge view={view} /> {view.pending_removal && <Badge tone="warn">removal held</Badge>}
        <LastError view={view} />
      </>
    ),
  },
  { title: "Active", cell: (view) => <StatusSwitch view={view} /> },
  { title: "Last synced", cell: ({ last_synced_at }) => <Moment at={last_synced_at} /> },
  { title: "Delivered", isNumber: true, cell: (view) => formatCount(totals(view).delivered) },
  { title: "Rejected", isNumber: true, cell: (view) => formatCount(totals(view).rejected) },
];

const filters: readonly [ConnectorStatus | "", string][] = [
  ["", "All"],
  ["active", "Active"],
  ["inactive", "Inactive"],
  ["error", "Error"],
];

interface StatusFilterProps {
  value: ConnectorStatus | "";
  onChange: (status: ConnectorStatus | "") => void;
}

function StatusFilter({ value, onChange }: StatusFilterProps) {
  return (
    <fieldset className="filter">
      <legend className="unseen">Status</legend>
      {filters.map(([status, text]) => (
        <label key={text}>
          <input type="radio" name="status" checked={status === value} onChange={() => onChange(status)} />
          {text}
        </label>
      ))}
    </fieldset>
  );
}

function Nothing({ status }: { status: ConnectorStatus | "" }) {
  if (status) return <p className="empty">No connector is {status === "error" ? "in error" : status}.</p>;
  return (
    <div className="empty">
      <p>No connectors yet.</p>
      <p className="muted">
        A connector keeps the members of one SegOps segment marked in one Braze workspace.{" "}
        <Link href="/activations/new">Create the first one</Link>.
      </p>
    </div>
  );
}
