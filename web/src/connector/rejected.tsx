import { errorTable, isErrorCode } from "../../../src/contracts/errors.ts";
import type { RejectedReasons } from "../../../src/contracts/rejected.ts";
import { useRejectedReasons } from "../api/queries.ts";
import type { ConnectorView } from "../api/wire.ts";
import { Loaded } from "../ui/loaded.tsx";
import { Table, type Column } from "../ui/table.tsx";
import { formatCount } from "../ui/text.ts";
import { channelName } from "./channel-name.ts";

/** Whom Braze did not take: how many, why, and what to do. Who they are is asked one by one, in the look-up. */
export function Rejected({ view }: { view: ConnectorView }) {
  const query = useRejectedReasons(view.id, view.last_run?.number ?? 0);
  return (
    <section>
      <h2>Rejected by Braze</h2>
      <Loaded query={query} what="the reasons">
        {({ results }) => (
          <Table
            caption="Rejected users, by reason"
            columns={columns}
            rows={results}
            keyOf={({ channel, reason }) => `${channel} ${reason}`}
          />
        )}
      </Loaded>
    </section>
  );
}

const columns: readonly Column<RejectedReasons["results"][number]>[] = [
  { title: "Reason", cell: ({ reason }) => <Reason code={reason} /> },
  { title: "Channel", cell: ({ channel }) => channelName(channel) },
  { title: "Users", isNumber: true, cell: ({ users }) => formatCount(users) },
];

function Reason({ code }: { code: string }) {
  if (!isErrorCode(code)) return <code>{code}</code>;
  const { message, remedy } = errorTable[code];
  return (
    <>
      {message.slice(0, 1).toUpperCase() + message.slice(1)}. <code>{code}</code>
      <br />
      <small className="muted">What to do: {remedy}</small>
    </>
  );
}
