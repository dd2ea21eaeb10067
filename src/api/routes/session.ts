import { noQuerySchema } from "../../contracts/http.ts";
import { sessionSchema } from "../../contracts/http-answers.ts";
import { readProblems } from "../answers.ts";
import { principalOf } from "../auth/authenticate.ts";
import type { Gateway, Server } from "../gateway.ts";

export function sessionRoutes(server: Server, gateway: Gateway): void {
  server.route({
    method: "GET",
    url: "/api/session/",
    schema: {
      operationId: "session",
      summary: "Whose key this is",
      description: "With what a page needs to know of this installation.",
      tags: ["session"],
      querystring: noQuerySchema,
      response: { 200: sessionSchema.describe("Who asks."), ...readProblems },
    },
    handler: async (request) => {
      const { tenant, role } = principalOf(request);
      return {
        tenant_slug: tenant,
        role,
        temporal_ui_url: gateway.temporalUiUrl ?? null,
        namespace: gateway.client.options.namespace,
        version: gateway.version,
      };
    },
  });
}
