import { idempotencyHeadersSchema, listQuerySchema, noQuerySchema } from "../../contracts/http.ts";
import { activationPageSchema, activationSchema } from "../../contracts/http-answers.ts";
import type { WriteSchemas } from "../../contracts/http-config.ts";
import { readProblems, writeProblems } from "../answers.ts";
import { principalOf } from "../auth/authenticate.ts";
import type { Gateway, Server } from "../gateway.ts";
import { answerOnce } from "../idempotency.ts";
import { pageEnvelope } from "../pages.ts";

/** The connectors of a tenant: list and create. */
export function activationsRoutes(server: Server, gateway: Gateway, { create }: WriteSchemas): void {
  server.route({
    method: "GET",
    url: "/api/activations/",
    schema: {
      operationId: "listActivations",
      summary: "The tenant's connectors, by id",
      description: "Read from the connectors' logs: needs no worker.",
      tags: ["activations"],
      querystring: listQuerySchema,
      response: { 200: activationPageSchema.describe("One page of them."), ...readProblems },
    },
    handler: async (request) => {
      const { page, page_size, status } = request.query;
      const all = await gateway.reads.list(principalOf(request).tenant);
      const chosen = status ? all.filter((view) => view.status === status) : all;
      const from = (page - 1) * page_size;
      return pageEnvelope(request, request.query, chosen.length, chosen.slice(from, from + page_size));
    },
  });

  server.route({
    method: "POST",
    url: "/api/activations/",
    config: { writes: true },
    schema: {
      operationId: "createActivation",
      summary: "Create a connector, inactive",
      description: 'One connector per segment. PATCH {"status": "active"} begins to deliver.',
      tags: ["activations"],
      querystring: noQuerySchema,
      headers: idempotencyHeadersSchema,
      body: create,
      response: { 201: activationSchema.describe("Created, inactive."), ...writeProblems },
    },
    handler: async (request, reply) => {
      const { segment, config } = request.body;
      const key = { tenant_slug: principalOf(request).tenant, segment_id: segment };
      return await answerOnce(gateway, request, reply, async (asked) => {
        const view = await gateway.writes.create(key, config, asked);
        return { status: 201, body: view };
      });
    },
  });
}
