import { Link } from "wouter";
import type { ConnectorView } from "../api/wire.ts";
import { Notice } from "../ui/notice.tsx";
import { LastError } from "./last-error.tsx";

export function ErrorNotice({ view }: { view: ConnectorView }) {
  if (!view.last_error && !view.last_error_code) return null;
  const isStopped = view.status === "error";
  return (
    <Notice tone={isStopped ? "bad" : "warn"} title={isStopped ? "The last sync failed" : "Last error"}>
      <LastError view={view} />
      {isStopped && (
        <p>
          It tries again at the next recompute, at “Sync now”, and as soon as{" "}
          <Link href={`/activations/${view.id}/settings`}>its settings</Link> change.
        </p>
      )}
    </Notice>
  );
}
