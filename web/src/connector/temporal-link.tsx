import { useSessionFacts } from "../api/queries.ts";

/** A run's page in the Temporal UI; nothing where the operator did not say where that is. */
export function TemporalLink({ workflowId, text }: { workflowId: string; text: string }) {
  const { data } = useSessionFacts();
  if (!data?.temporal_ui_url || !data.namespace || !workflowId) return null;
  const [base, namespace] = [data.temporal_ui_url.replace(/\/+$/, ""), encodeURIComponent(data.namespace)];
  const href = `${base}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
  return (
    <a href={href} target="_blank" rel="noreferrer">
      {text}
    </a>
  );
}
