import { useState } from "react";
import type { ExplainedRun, Explanation } from "../../../src/contracts/explain.ts";
import { useExplain } from "../api/queries.ts";
import { Moment } from "../ui/moment.tsx";
import { channelName } from "./channel-name.ts";
import { becameWords, stateWords } from "./explain-words.ts";

interface TimelineProps {
  id: number;
  userId: string;
  /** What is known now, and the newest runs. */
  newest: Explanation;
}

/** What is known of one user, then what each run did about them, newest first, older ones on demand. It names nobody. */
export function Timeline({ id, userId, newest }: TimelineProps) {
  const [pages, setPages] = useState([newest]);
  const older = useExplain(id);
  const { now } = newest;
  const runs = pages.flatMap((page) => page.runs);
  const before = pages.at(-1)?.next_before ?? null;
  const readOn = (before: number) =>
    older.mutate({ userId, before }, { onSuccess: (page) => setPages((known) => [...known, page]) });
  return (
    <div className="panel">
      <h3>Now</h3>
      <p>{desiredWords(now.desired)}</p>
      <ul>
        {now.channels.map(({ channel, ...state }) => (
          <li key={channel}>
            <span className="muted">{channelName(channel)}:</span> {stateWords(state)}
            {state.retry_at && (
              <>
                ; tried again from <Moment at={state.retry_at} /> on
              </>
            )}
          </li>
        ))}
      </ul>
      <h3>Runs</h3>
      {runs.length === 0 && <p>No runs yet.</p>}
      <ol className="timeline">
        {runs.map((run) => (
          <TimelineRun key={run.number} run={run} />
        ))}
      </ol>
      {older.error && <p className="problem">{older.error.message}</p>}
      {before !== null && (
        <button
          type="button"
          className="outline secondary small"
          aria-busy={older.isPending}
          disabled={older.isPending}
          onClick={() => readOn(before)}
        >
          Older runs of this user
        </button>
      )}
    </div>
  );
}

function TimelineRun({ run }: { run: ExplainedRun }) {
  return (
    <li>
      <p>
        <strong>Run {run.number}</strong> <Moment at={run.started_at} />{" "}
        <span className="muted">
          {run.outcome?.replaceAll("_", " ") ?? "open"}
          {run.member !== null && (run.member ? " · a member" : " · not a member")}
          {run.files === "files_cleaned_up" && " · some of its files were cleaned up"}
        </span>
      </p>
      <ul>
        {run.channels.map((channel) => (
          <li key={channel.channel}>
            <span className="muted">{channelName(channel.channel)}:</span> {becameWords(channel)}
          </li>
        ))}
      </ul>
    </li>
  );
}

function desiredWords(desired: boolean | null): string {
  if (desired === null) return "No membership has been compared yet.";
  return desired ? "SegOps names the user as a member." : "SegOps does not name the user as a member.";
}
