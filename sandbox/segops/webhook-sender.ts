import { createHmac } from "node:crypto";
import type { TenantSettings, WebhookResult } from "./control-shapes.ts";

// SegOps gives a receiver ten seconds and tries once (its webhook page).
const TIMEOUT_MS = 10_000;

type Webhook = NonNullable<TenantSettings["webhook"]>;

/** Sends `segment.recomputed` webhooks: signed over the raw bytes, one attempt each, never rejecting. */
export class WebhookSender {
  delivered = 0;
  failed = 0;
  readonly #closing = new AbortController();

  async send(webhook: Webhook, body: string): Promise<WebhookResult> {
    try {
      const status = await this.#post(webhook, body);
      if (status >= 200 && status < 300) this.delivered += 1;
      else this.failed += 1;
      return { status };
    } catch (error) {
      this.failed += 1;
      return { status: null, error: reasonOf(error) };
    }
  }

  /** Gives up deliveries in flight. */
  close(): void {
    this.#closing.abort(new Error("SegOps stopped"));
  }

  async #post(webhook: Webhook, body: string): Promise<number> {
    const response = await fetch(webhook.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...signatureHeader(webhook, body) },
      body,
      redirect: "manual",
      signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    return response.status;
  }
}

function signatureHeader({ secret, prefix }: Webhook, body: string): Record<string, string> {
  if (secret === undefined) return {};
  const digest = createHmac("sha256", secret).update(body, "utf8").digest("hex");
  return { "X-SegOps-Signature": prefix ? `sha256=${digest}` : digest };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
