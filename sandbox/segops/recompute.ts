import type { RecomputeResult } from "./control-shapes.ts";
import type { PublishedMembership, Segment } from "./segment.ts";
import type { Tenant } from "./tenants.ts";
import type { WebhookSender } from "./webhook-sender.ts";

interface RecomputeSettings {
  webhook: boolean;
  computed_at?: string | undefined;
}

/**
 * Publishes the segment's pending membership, then tells the tenant's webhook. The new membership is in force when
 * this returns its promise, so a caller need not wait; the promise waits for the webhook's one attempt.
 */
export async function recompute(
  tenant: Tenant,
  segment: Segment,
  sender: WebhookSender,
  settings: RecomputeSettings = { webhook: true },
): Promise<RecomputeResult> {
  const published = segment.publish(settings.computed_at);
  const body = webhookBody(tenant, segment, published);
  segment.webhookBody = body;
  const { webhook } = tenant.settings;
  return {
    computed_at: published.computedAt,
    member_count: published.members.length,
    webhook: webhook && settings.webhook ? await sender.send(webhook, body) : null,
  };
}

function webhookBody(tenant: Tenant, segment: Segment, published: PublishedMembership): string {
  return JSON.stringify({
    event: "segment.recomputed",
    tenant_slug: tenant.slug,
    segment_id: segment.id,
    segment_name: segment.name,
    member_count: published.members.length,
    computed_at: published.computedAt,
  });
}
