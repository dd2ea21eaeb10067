import type { ChannelView } from "../../../src/contracts/view.ts";
import type { ConnectorView } from "../api/wire.ts";
import { Table, type Column } from "../ui/table.tsx";
import { formatCount } from "../ui/text.ts";
import { channelName } from "./channel-name.ts";

export function Channels({ view }: { view: ConnectorView }) {
  return (
    <section>
      <h2>In Braze</h2>
      {view.channels.length === 0 ? (
        <p className="empty">Nothing was delivered yet.</p>
      ) : (
        <>
          <Table
            caption="What Braze acknowledged, by channel"
            columns={columns}
            rows={view.channels}
            keyOf={({ channel }) => channel}
          />
          <p className="muted">
            <small>
              Unknown: perhaps sent, never answered; the next run writes them again. Waiting: still to be
              written.
            </small>
          </p>
        </>
      )}
    </section>
  );
}

const columns: readonly Column<ChannelView>[] = [
  { title: "Channel", cell: ({ channel }) => channelName(channel) },
  { title: "Delivered", isNumber: true, cell: ({ delivered }) => formatCount(delivered) },
  { title: "Rejected", isNumber: true, cell: ({ rejected }) => formatCount(rejected) },
  { title: "Unknown", isNumber: true, cell: ({ unknown }) => formatCount(unknown) },
  { title: "Waiting", isNumber: true, cell: ({ waiting }) => formatCount(waiting) },
];
