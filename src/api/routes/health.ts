import { z } from "zod";
import { healthSchema, readinessSchema } from "../../contracts/http-answers.ts";
import type { Gateway, Server } from "../gateway.ts";

/** A balancer's patience is short. */
const readinessMs = 2000;

/** For those who run the service: open to whoever reaches the port, and telling nothing of tenants. */
export function healthRoutes(server: Server, gateway: Gateway): void {
  server.route({
    method: "GET",
    url: "/healthz",
    schema: {
      operationId: "health",
      summary: "Whether the process answers",
      tags: ["operations"],
      security: [],
      response: { 200: healthSchema.describe("It does.") },
    },
    handler: async () => ({ status: "ok" as const }),
  });

  server.route({
    method: "GET",
    url: "/readyz",
    schema: {
      operationId: "readiness",
      summary: "Whether Temporal and the storage can be reached",
      tags: ["operations"],
      security: [],
      response: {
        200: readinessSchema.describe("They can."),
        503: readinessSchema.describe("One of them cannot."),
      },
    },
    handler: async (_request, reply) => {
      const [temporal, storage] = await Promise.all([
        canReach(() => temporalAnswers(gateway)),
        canReach(() => gateway.storage.folders("")),
      ]);
      const ready = temporal && storage;
      return await reply.code(ready ? 200 : 503).send({
        status: ready ? "ready" : "unready",
        temporal: temporal ? "ok" : "unreachable",
        storage: storage ? "ok" : "unreachable",
      });
    },
  });

  server.route({
    method: "GET",
    url: "/metrics",
    schema: {
      operationId: "metrics",
      summary: "Prometheus metrics",
      tags: ["operations"],
      security: [],
      response: {
        200: {
          description: "In Prometheus' text format.",
          content: { "text/plain": { schema: z.string() } },
        },
      },
    },
    handler: async (_request, reply) => {
      const { registry } = gateway.metrics;
      return await reply.header("content-type", registry.contentType).send(await registry.metrics());
    },
  });
}

async function temporalAnswers({ client }: Gateway): Promise<void> {
  const { namespace } = client.options;
  await client.withDeadline(Date.now() + readinessMs, () =>
    client.workflowService.describeNamespace({ namespace }),
  );
}

async function canReach(look: () => Promise<unknown>): Promise<boolean> {
  return await look().then(
    () => true,
    () => false,
  );
}
