import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Notice } from "./notice.tsx";

interface LoadedProps<Data> {
  query: UseQueryResult<Data>;
  /** What is being loaded, as in "Loading activations". */
  what: string;
  children: (data: Data) => ReactNode;
}

/** What a query knows; while it knows nothing, that it loads or why it cannot. What is known stays, though it may be old. */
export function Loaded<Data>({ query, what, children }: LoadedProps<Data>) {
  const { data, error, isFetching, refetch } = query;
  return (
    <>
      {error && (
        <Notice
          tone="bad"
          title={data === undefined ? `Could not load ${what}` : `Could not refresh ${what}`}
        >
          <p>{error.message}</p>
          <button type="button" className="small" aria-busy={isFetching} onClick={() => void refetch()}>
            Try again
          </button>
        </Notice>
      )}
      {data === undefined && !error && <p aria-busy="true">Loading {what} …</p>}
      {data !== undefined && children(data)}
    </>
  );
}
