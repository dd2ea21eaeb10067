import { useState } from "react";
import { useAct, useMayWrite } from "../api/queries.ts";
import type { ConnectorView } from "../api/wire.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { DeleteConnector } from "./delete-connector.tsx";

/** What a person may have it do now. Syncing is an active connector's. */
export function Actions({ view }: { view: ConnectorView }) {
  const [asked, setAsked] = useState<"resync" | "delete" | null>(null);
  const close = () => setAsked(null);
  if (!useMayWrite()) return null;
  return (
    <div className="actions">
      {view.status !== "inactive" && (
        <>
          <SyncNow id={view.id} />
          <button type="button" className="outline secondary" onClick={() => setAsked("resync")}>
            Resync …
          </button>
        </>
      )}
      <button type="button" className="outline danger" onClick={() => setAsked("delete")}>
        Delete …
      </button>
      {asked === "resync" && <Resync view={view} onClose={close} />}
      {asked === "delete" && <DeleteConnector view={view} onClose={close} />}
    </div>
  );
}

function SyncNow({ id }: { id: number }) {
  const act = useAct(id);
  const announce = useAnnounce();
  const sync = () =>
    act.mutate(
      { name: "sync" },
      {
        onSuccess: () => announce("A run is queued."),
        onError: (error) => announce(`No run was queued. ${error.message}`),
      },
    );
  return (
    <button type="button" aria-busy={act.isPending} disabled={act.isPending} onClick={sync}>
      Sync now
    </button>
  );
}

function Resync({ view, onClose }: { view: ConnectorView; onClose: () => void }) {
  const act = useAct(view.id);
  const announce = useAnnounce();
  const resync = () =>
    act.mutate(
      { name: "resync" },
      {
        onSuccess: () => {
          announce("A run that writes every member again is queued.");
          onClose();
        },
      },
    );
  return (
    <Confirm
      title="Write every member again?"
      action="Resync"
      isBusy={act.isPending}
      error={act.error?.message}
      onConfirm={resync}
      onClose={onClose}
    >
      <p>
        A run writes every member of the segment to Braze again, also those whom Braze once rejected for good.
        It is for a Braze that lost or changed what it had; each write costs a data point.
      </p>
    </Confirm>
  );
}
