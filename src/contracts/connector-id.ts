import { z } from "zod";

/**
 * A tenant's slug: SegOps makes them lowercase. The pattern keeps a slug safe as a path segment in storage and in a workflow id.
 */
export const tenantSlugSchema = z.string().regex(/^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/, {
  error: "must be a tenant slug: 1 to 64 lowercase letters, digits, '-' or '_', as SegOps shows it",
});

export const segmentIdSchema = z
  .int({ error: "must be a whole number: the segment's id in SegOps" })
  .positive({ error: "must be a positive whole number: the segment's id in SegOps" });

/** Names one connector: one segment of one tenant. All that is needed to start or revive its workflow. */
export const connectorKeySchema = z.object({ tenant_slug: tenantSlugSchema, segment_id: segmentIdSchema });
export type ConnectorKey = z.infer<typeof connectorKeySchema>;

/** `braze/<tenant_slug>/<segment_id>`: the connector's workflow id. */
export function connectorWorkflowId(key: ConnectorKey): string {
  return `braze/${key.tenant_slug}/${key.segment_id}`;
}

/** `braze/<tenant_slug>/<segment_id>/run/<n>`, n = the run's number in the log. */
export function runWorkflowId(key: ConnectorKey, number: number): string {
  return `${connectorWorkflowId(key)}/run/${number}`;
}

/** Reads `<tenant>/<segment>`, as people name a connector. Answers undefined when it is not one. */
export function parseConnectorName(name: string): ConnectorKey | undefined {
  const match = /^([^/]+)\/([1-9][0-9]{0,15})$/.exec(name);
  if (!match) return undefined;
  const parsed = connectorKeySchema.safeParse({ tenant_slug: match[1], segment_id: Number(match[2]) });
  return parsed.success ? parsed.data : undefined;
}

/** `<tenant>/<segment>`, as people name a connector. */
export function connectorName(key: ConnectorKey): string {
  return `${key.tenant_slug}/${key.segment_id}`;
}

/** Reads a connector's workflow id; undefined when it is not one (a run's id is not). */
export function parseConnectorWorkflowId(id: string): ConnectorKey | undefined {
  return id.startsWith("braze/") ? parseConnectorName(id.slice("braze/".length)) : undefined;
}
