import type { CurrentRun } from "../../../src/contracts/view.ts";
import { formatCount, formatDuration } from "../ui/text.ts";
import { TemporalLink } from "./temporal-link.tsx";

export function CurrentRunProgress({ run }: { run: CurrentRun }) {
  const { number, reason, progress, workflow_id } = run;
  const isCounted = progress !== undefined && progress.users_total > 0;
  return (
    <section className="panel" aria-labelledby="current-run">
      <h2 id="current-run">
        Run {number} is under way <small className="muted">({reason})</small>
      </h2>
      <progress
        aria-label={`Progress of run ${number}`}
        {...(isCounted ? { value: progress.users_done, max: progress.users_total } : {})}
      />
      <p className="facts">
        <span>{progress?.phase ?? "starting"}</span>
        {isCounted && (
          <span>
            {formatCount(progress.users_done)} of {formatCount(progress.users_total)} users
          </span>
        )}
        {isCounted && <span>{formatCount(Math.round(progress.users_per_second))} users/s</span>}
        {isCounted && progress.eta_seconds !== null && (
          <span>about {formatDuration(progress.eta_seconds)} to go</span>
        )}
        <TemporalLink workflowId={workflow_id} text="In Temporal" />
      </p>
      {progress?.last_error && <p className="problem">Last trouble: {progress.last_error}</p>}
    </section>
  );
}
