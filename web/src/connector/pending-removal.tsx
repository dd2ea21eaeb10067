import { useState } from "react";
import type { PendingRemovalView } from "../../../src/contracts/view.ts";
import { useAct, useMayWrite } from "../api/queries.ts";
import type { ConnectorView } from "../api/wire.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { Notice } from "../ui/notice.tsx";
import { formatUsers } from "../ui/text.ts";

interface PendingRemovalProps {
  view: ConnectorView;
  pending: PendingRemovalView;
}

/** Exits that are held for a person. What is approved is what was on the screen: the digest names exactly that set. */
export function PendingRemoval({ view, pending }: PendingRemovalProps) {
  const [asked, setAsked] = useState<PendingRemovalView | null>(null);
  const act = useAct(view.id);
  const announce = useAnnounce();
  const mayWrite = useMayWrite();
  const approve = ({ digest, users }: PendingRemovalView) =>
    act.mutate(
      { name: "approve-removal", digest },
      {
        onSuccess: () => {
          setAsked(null);
          announce(`Approved: ${formatUsers(users)} will be removed by a run of their own.`);
        },
      },
    );
  return (
    <Notice tone="warn" title={`${formatUsers(pending.users)} would be removed: held for a person`}>
      <p>
        Braze still shows them as members. If they are to leave, approve it. If not, mend the segment in
        SegOps: its next recompute takes them back.
      </p>
      <p className="digest">
        Digest of this set: <code>{pending.digest}</code>
      </p>
      {mayWrite && (
        <button type="button" onClick={() => setAsked(pending)}>
          Approve removal …
        </button>
      )}
      {asked && (
        <Confirm
          title={`Remove ${formatUsers(asked.users)}?`}
          action={`Remove ${formatUsers(asked.users)}`}
          isBusy={act.isPending}
          error={act.error?.message}
          onConfirm={() => approve(asked)}
          onClose={() => {
            act.reset();
            setAsked(null);
          }}
        >
          <p>
            Exactly the {formatUsers(asked.users)} of this set will no longer be members of{" "}
            {view.segment_name || `segment ${view.segment}`} in Braze, in every channel. Campaigns that are
            aimed at the segment stop reaching them.
          </p>
          <p className="digest">
            Digest: <code>{asked.digest}</code>
          </p>
        </Confirm>
      )}
    </Notice>
  );
}
