import { Link } from "wouter";
import { ApiError } from "../api/call.ts";
import { useActivation } from "../api/queries.ts";
import type { ConnectorView } from "../api/wire.ts";
import { Actions } from "../connector/actions.tsx";
import { Channels } from "../connector/channels.tsx";
import { CurrentRunProgress } from "../connector/current-run.tsx";
import { ErrorNotice } from "../connector/error-notice.tsx";
import { PendingRemoval } from "../connector/pending-removal.tsx";
import { Rejected } from "../connector/rejected.tsx";
import { Runs } from "../connector/runs.tsx";
import { ShownSettings } from "../connector/shown-settings.tsx";
import { StatusBadge } from "../connector/status-badge.tsx";
import { StatusSwitch } from "../connector/status-switch.tsx";
import { totals } from "../connector/totals.ts";
import { UserLookUp } from "../connector/user-look-up.tsx";
import { Heading } from "../ui/heading.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Moment } from "../ui/moment.tsx";
import { formatCount } from "../ui/text.ts";

export function ConnectorScreen({ id }: { id: number }) {
  const query = useActivation(id);
  const isMissing = query.error instanceof ApiError && query.error.status === 404;
  return (
    <>
      <p className="crumb">
        <Link href="/activations">Activations</Link>
      </p>
      {isMissing ? (
        <>
          <Heading>No such connector</Heading>
          <p className="empty">There is none for segment {id}, or not any more.</p>
        </>
      ) : (
        <Loaded query={query} what="the connector">
          {(view) => <Connector view={view} />}
        </Loaded>
      )}
    </>
  );
}

function Connector({ view }: { view: ConnectorView }) {
  return (
    <>
      <div className="title-line">
        <Heading>{view.segment_name || `Segment ${view.segment}`}</Heading>
        <StatusSwitch view={view} label="Active" />
      </div>
      <p className="facts">
        <StatusBadge view={view} />
        <span>Braze · segment {view.segment}</span>
        {view.member_count !== null && <span>{formatCount(view.member_count)} members in SegOps</span>}
        <span>
          last synced <Moment at={view.last_synced_at} />
        </span>
      </p>
      <ErrorNotice view={view} />
      {view.pending_removal && <PendingRemoval view={view} pending={view.pending_removal} />}
      {view.current_run && <CurrentRunProgress run={view.current_run} />}
      <Actions view={view} />
      <Channels view={view} />
      {totals(view).rejected > 0 && <Rejected view={view} />}
      <Runs view={view} />
      <UserLookUp id={view.id} />
      <ShownSettings view={view} />
    </>
  );
}
