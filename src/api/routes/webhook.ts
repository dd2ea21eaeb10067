import { z } from "zod";
import { connectorOfWebhook } from "../../client/connector-name.ts";
import { ClientError } from "../../client.ts";
import { connectorName, tenantSlugSchema, type ConnectorKey } from "../../contracts/connector-id.ts";
import { webhookAnswerSchema } from "../../contracts/http-answers.ts";
import { webhookSchema } from "../../contracts/http-webhook.ts";
import { parseRecompute, type Recompute } from "../../contracts/recompute.ts";
import { pick } from "../answers.ts";
import type { Gateway, Server } from "../gateway.ts";
import type { WebhookOutcome } from "../metrics.ts";
import { HttpProblem, problemOf, unavailable } from "../problems.ts";
import { Coalescer } from "../webhook/coalescer.ts";
import { KnownConnectors } from "../webhook/known-connectors.ts";
import { isSigned } from "../webhook/signature.ts";

/** What reaches a workflow's history of a webhook: the documented fields, bounded, and nothing else that was in it. */
type RecomputeBody = ConnectorKey & Recompute & { event: "segment.recomputed" };

const coalesceMs = 10_000;

/** Said of an unknown tenant, of a tenant without a secret and of a wrong signature alike. */
const refusal =
  "Invalid signature: X-SegOps-Signature must be sha256= and the hex HMAC-SHA256 of the raw body under this tenant's webhook secret.";

const lost =
  "Temporal did not take this recompute in time. SegOps does not send it again: the connector's hourly look finds it, or sync it.";

/** SegOps' webhook. Answers within SegOps' 10 s whatever becomes of Temporal. */
export async function webhookRoutes(server: Server, gateway: Gateway): Promise<void> {
  const { metrics, log } = gateway;
  const known = new KnownConnectors((key) => gateway.reads.exists(key));
  const coalescer = new Coalescer<RecomputeBody>({
    send: (body) => gateway.connectors.recompute(body),
    everyMs: gateway.coalesceMs ?? coalesceMs,
    onRetry: () => metrics.trailingRetries.inc(),
  });
  server.addHook("onClose", async () => {
    const unsent = await coalescer.flush();
    if (unsent > 0) log.error({ unsent }, "recomputes could not be handed on; the hourly look finds them");
  });

  // The bytes as they came: the signature is over them. Whatever their type is called, they must be JSON.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

  server.route({
    method: "POST",
    url: "/api/webhooks/segops/",
    schema: {
      operationId: "segopsWebhook",
      summary: "SegOps recomputed a segment",
      description:
        "Signed with HMAC-SHA256 over the raw body in X-SegOps-Signature, with or without sha256=. A burst becomes one signal at once " +
        "and one trailing per 10 s and connector. 503: not handed on; SegOps does not retry, the connector's hourly look finds it.",
      tags: ["webhook"],
      security: [{ webhookSignature: [] }],
      body: webhookSchema,
      response: {
        200: webhookAnswerSchema.describe(
          "Nothing to do: no connector delivers this segment, or another event.",
        ),
        202: webhookAnswerSchema.describe("Handed on, or soon to be."),
        ...pick(400, 401, 413, 415, 500, 503),
      },
    },
    // By hand below: nothing of a body is judged before its signature is.
    validatorCompiler: () => (value: unknown) => ({ value }),
    handler: async (request, reply) => {
      try {
        const outcome = await take(request.body, request.headers["x-segops-signature"]);
        metrics.webhooks.inc({ outcome });
        if (outcome !== "ignored") return await reply.code(202).send({ status: "accepted" });
        return await reply.code(200).send({ status: "ignored", detail: "No connector delivers this." });
      } catch (error) {
        const status = problemOf(error)?.status ?? 500;
        metrics.webhooks.inc({ outcome: status < 500 ? "refused" : "unavailable" });
        throw error;
      }
    },
  });

  async function take(body: unknown, signature: string | string[] | undefined): Promise<WebhookOutcome> {
    const raw = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    const json = parsed(raw);
    const tenant = tenantOf(json);
    const secrets = (await gateway.webhookSecrets.current()).get(tenant);
    if (!isSigned(raw, typeof signature === "string" ? signature : undefined, secrets)) {
      throw new HttpProblem(401, refusal, { "www-authenticate": "HMAC-SHA256" });
    }
    const key = connectorIn(json);
    const recompute = parseRecompute(json, key.segment_id);
    const { event = "segment.recomputed" } = json as { event?: unknown };
    if (!recompute || event !== "segment.recomputed") return "ignored";
    const name = connectorName(key);
    if (!coalescer.isOpen(name) && !(await known.has(key))) return "ignored";
    try {
      return await coalescer.offer(name, { event, ...key, ...recompute });
    } catch (error) {
      log.warn(
        { error: error instanceof Error ? error.name : "unknown" },
        "a recompute could not be handed on",
      );
      throw unavailable(lost);
    }
  }
}

function parsed(raw: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw)) as unknown;
  } catch {
    throw new HttpProblem(400, "JSON parse error: the body is not valid JSON in UTF-8.");
  }
}

function tenantOf(json: unknown): string {
  const body = z.record(z.string(), z.unknown()).safeParse(json);
  if (!body.success)
    throw new HttpProblem(400, "The body must be a JSON object, as SegOps' webhook sends it.");
  const tenant = tenantSlugSchema.safeParse(body.data["tenant_slug"]);
  if (tenant.success) return tenant.data;
  throw new HttpProblem(400, {
    tenant_slug: ["must be a tenant slug: 1 to 64 lowercase letters, digits, '-' or '_', as SegOps shows it"],
  });
}

function connectorIn(json: unknown): ConnectorKey {
  try {
    return connectorOfWebhook(json);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    throw new HttpProblem(400, {
      segment_id: ["must be a positive whole number: the segment's id in SegOps"],
    });
  }
}
