import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import type { Explanation } from "../../../src/contracts/explain.ts";
import type { RejectedReasons } from "../../../src/contracts/rejected.ts";
import { useCall } from "../session.tsx";
import { ApiError } from "./call.ts";
import type {
  Action,
  ActivationChange,
  ActivationsFilter,
  ConnectorView,
  LoggedRun,
  NewActivation,
  Page,
  Session,
} from "./wire.ts";

/** Rows of the list, and runs read at a time. */
const activationsPerPage = 20;
const runsPerPage = 10;

/** How often a screen looks again: for a while after a change that was made here, while something moves, and while nothing does. */
const expectingMs = 500;
const movingMs = 2_000;
const restingMs = 5_000;

/** A change leads to a run within a second or two, unless the worker has much else to do. */
const expectForMs = 8_000;
let expectUntil = 0;

function expectNews(): void {
  expectUntil = Date.now() + expectForMs;
}

function looksEveryMs(isMoving: boolean): number {
  if (Date.now() < expectUntil) return expectingMs;
  return isMoving ? movingMs : restingMs;
}

/** Trouble that passes is tried again twice; what the gateway refused, it refuses again. */
export function isWorthRetrying(failures: number, error: Error): boolean {
  return failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500);
}

export function useSessionFacts() {
  const call = useCall();
  return useQuery({
    queryKey: ["session"],
    queryFn: ({ signal }) => call<Session>("session/", { signal }),
    staleTime: Infinity,
  });
}

/** A viewer's key only reads: what it may not do is not offered. */
export function useMayWrite(): boolean {
  const { data } = useSessionFacts();
  return data !== undefined && data.role !== "viewer";
}

export function useActivations({ page, status }: ActivationsFilter) {
  const call = useCall();
  const query = new URLSearchParams({ page: String(page), page_size: String(activationsPerPage) });
  if (status) query.set("status", status);
  return useQuery({
    queryKey: ["activations", page, status],
    queryFn: ({ signal }) => call<Page<ConnectorView>>(`activations/?${query}`, { signal }),
    refetchInterval: () => looksEveryMs(false),
    placeholderData: keepPreviousData,
  });
}

export function pageCount(count: number): number {
  return Math.max(1, Math.ceil(count / activationsPerPage));
}

export function useActivation(id: number) {
  const call = useCall();
  return useQuery({
    queryKey: ["activation", id],
    queryFn: ({ signal }) => call<ConnectorView>(`activations/${id}/`, { signal }),
    refetchInterval: ({ state }) => looksEveryMs(Boolean(state.data?.current_run)),
  });
}

/** `newest` is the newest run that the view knows: with another one, the runs are read again. */
export function useRuns(id: number, newest: string) {
  const call = useCall();
  return useInfiniteQuery({
    queryKey: ["runs", id, newest],
    queryFn: ({ signal, pageParam }) => {
      const query = new URLSearchParams({ page: String(pageParam), page_size: String(runsPerPage) });
      return call<Page<LoggedRun>>(`activations/${id}/logs/?${query}`, { signal });
    },
    initialPageParam: 1,
    getNextPageParam: (last, _pages, page) => (last.next === null ? undefined : page + 1),
    placeholderData: keepPreviousData,
  });
}

/** Only asked for where there are any; again once another run has ended. */
export function useRejectedReasons(id: number, newestRun: number) {
  const call = useCall();
  return useQuery({
    queryKey: ["rejected", id, newestRun],
    queryFn: ({ signal }) => call<RejectedReasons>(`activations/${id}/rejected/`, { signal }),
    placeholderData: keepPreviousData,
  });
}

export function useCreateActivation() {
  const call = useCall();
  const remember = useRemember();
  return useMutation({
    mutationFn: (body: NewActivation) => call<ConnectorView>("activations/", { method: "POST", body }),
    onSuccess: remember,
  });
}

export function useChangeActivation(id: number) {
  const call = useCall();
  const remember = useRemember();
  return useMutation({
    mutationFn: (body: ActivationChange) =>
      call<ConnectorView>(`activations/${id}/`, { method: "PATCH", body }),
    onSuccess: remember,
  });
}

export function useAct(id: number) {
  const call = useCall();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, ...body }: Action) => call(`activations/${id}/${name}/`, { method: "POST", body }),
    onSuccess: async () => {
      expectNews();
      await queries.invalidateQueries({ queryKey: ["activation", id] });
    },
  });
}

export function useDeleteActivation(id: number) {
  const call = useCall();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ cleanup }: { cleanup: boolean }) =>
      call(`activations/${id}/${cleanup ? "?cleanup=true" : ""}`, { method: "DELETE" }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["activations"] }),
  });
}

/** A mutation and not a query: what it answers is about one person, so it is neither cached nor asked for again by itself. */
export function useExplain(id: number) {
  const call = useCall();
  return useMutation({
    mutationFn: ({ userId, before }: { userId: string; before?: number }) => {
      const query = new URLSearchParams({ user_id: userId });
      if (before !== undefined) query.set("before", String(before));
      return call<Explanation>(`activations/${id}/explain/?${query}`);
    },
    gcTime: 0,
  });
}

/** Keeps the view that a change answered, so that the next screen need not wait for it. */
function useRemember() {
  const queries = useQueryClient();
  return async (view: ConnectorView) => {
    expectNews();
    queries.setQueryData(["activation", view.id], view);
    await queries.invalidateQueries({ queryKey: ["activations"] });
  };
}
