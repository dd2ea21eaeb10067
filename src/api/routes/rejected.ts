import { rejectedReasonsSchema } from "../../contracts/rejected.ts";
import { activationParamsSchema, noQuerySchema } from "../../contracts/http.ts";
import { readProblems } from "../answers.ts";
import { existingConnector } from "../asked-connector.ts";
import type { Gateway, Server } from "../gateway.ts";

/** Why Braze rejects users, without a name among them. */
export function rejectedRoutes(server: Server, gateway: Gateway): void {
  server.route({
    method: "GET",
    url: "/api/activations/:id/rejected/",
    schema: {
      operationId: "rejectedReasons",
      summary: "For which reasons Braze rejects how many users",
      description: "By channel, as the newest closed run left it. Needs no worker.",
      tags: ["activations"],
      params: activationParamsSchema,
      querystring: noQuerySchema,
      response: {
        200: rejectedReasonsSchema.describe("Counted from the ledger; nobody is named."),
        ...readProblems,
      },
    },
    handler: async (request) => {
      const key = await existingConnector(gateway, request);
      return await gateway.rejectedReasons(key);
    },
  });
}
