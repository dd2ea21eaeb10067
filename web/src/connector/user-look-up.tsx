import { useState, type FormEvent } from "react";
import { useExplain } from "../api/queries.ts";
import { TextField } from "../forms/text-field.tsx";
import { Notice } from "../ui/notice.tsx";
import { Timeline } from "./timeline.tsx";

/** One user's timeline. The id is asked about and forgotten: it is in no address, no storage and no cache. */
export function UserLookUp({ id }: { id: number }) {
  const [userId, setUserId] = useState("");
  const explain = useExplain(id);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (userId) explain.mutate({ userId });
  };
  return (
    <section>
      <h2>Look up a user</h2>
      <form className="inline" onSubmit={submit} noValidate>
        <TextField
          label="User id"
          name="user_id"
          help="As SegOps knows it, to the letter. It is not kept."
          error={undefined}
          value={userId}
          onChange={setUserId}
        />
        <button type="submit" aria-busy={explain.isPending} disabled={explain.isPending}>
          Look up
        </button>
      </form>
      <div aria-live="polite">
        {explain.error && (
          <Notice tone="bad" title="Could not look the user up">
            <p>{explain.error.message}</p>
          </Notice>
        )}
        {explain.isSuccess && (
          // Another look-up is another timeline: nothing of the one before stays in it.
          <Timeline
            key={explain.submittedAt}
            id={id}
            userId={explain.variables.userId}
            newest={explain.data}
          />
        )}
      </div>
    </section>
  );
}
