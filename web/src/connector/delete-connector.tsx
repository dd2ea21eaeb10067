import { useState } from "react";
import { useLocation } from "wouter";
import { useDeleteActivation } from "../api/queries.ts";
import type { ConnectorView } from "../api/wire.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Confirm } from "../ui/confirm.tsx";

/** With or without taking everyone out in Braze first; the person says which. */
export function DeleteConnector({ view, onClose }: { view: ConnectorView; onClose: () => void }) {
  const [cleanup, setCleanup] = useState(false);
  const remove = useDeleteActivation(view.id);
  const announce = useAnnounce();
  const [, go] = useLocation();
  const name = view.segment_name || `Segment ${view.segment}`;
  const confirm = () =>
    remove.mutate(
      { cleanup },
      {
        onSuccess: () => {
          announce(
            cleanup ? `${name}: everyone is taken out in Braze, then it is deleted.` : `${name} is deleted.`,
          );
          go("/activations");
        },
      },
    );
  return (
    <Confirm
      title={`Delete the connector of ${name}?`}
      action={cleanup ? "Clean up and delete" : "Delete"}
      isBusy={remove.isPending}
      error={remove.error?.message}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>Nothing more is delivered, and a run under way is stopped. The segment in SegOps stays as it is.</p>
      <fieldset>
        <legend>The members whom Braze shows</legend>
        <label>
          <input type="radio" name="cleanup" checked={!cleanup} onChange={() => setCleanup(false)} />
          stay as they are: campaigns go on reaching them
        </label>
        <label>
          <input type="radio" name="cleanup" checked={cleanup} onChange={() => setCleanup(true)} />
          are all taken out first, by a last run
        </label>
      </fieldset>
    </Confirm>
  );
}
