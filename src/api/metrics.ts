import { collectDefaultMetrics, Counter, Histogram, Registry } from "prom-client";

/** What a webhook came to. */
export type WebhookOutcome = "signalled" | "coalesced" | "ignored" | "refused" | "unavailable";

/** Labels are route patterns and words of ours: no tenant, id or key. */
export interface Metrics {
  registry: Registry;
  requests: Counter<"method" | "route" | "status">;
  seconds: Histogram<"method" | "route">;
  webhooks: Counter<"outcome">;
  /** Trailing signals that could not be sent yet and are tried again. */
  trailingRetries: Counter;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requests: new Counter({
      name: "segops_braze_http_requests_total",
      help: "Requests by method, route pattern and status.",
      labelNames: ["method", "route", "status"],
      registers,
    }),
    seconds: new Histogram({
      name: "segops_braze_http_request_seconds",
      help: "Seconds from the first byte of a request to the last of its answer.",
      labelNames: ["method", "route"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    webhooks: new Counter({
      name: "segops_braze_webhooks_total",
      help: "SegOps webhooks by what they came to.",
      labelNames: ["outcome"],
      registers,
    }),
    trailingRetries: new Counter({
      name: "segops_braze_webhook_trailing_retries_total",
      help: "Trailing recompute signals that could not be sent yet and are tried again.",
      registers,
    }),
  };
}
