import { explanationSchema } from "../../contracts/explain.ts";
import { activationParamsSchema, explainQuerySchema } from "../../contracts/http.ts";
import { readProblems } from "../answers.ts";
import { existingConnector } from "../asked-connector.ts";
import type { Gateway, Server } from "../gateway.ts";

/** What became of one user. The id is in the address, so no log of ours has addresses, and the answer does not repeat it. */
export function explainRoutes(server: Server, gateway: Gateway): void {
  server.route({
    method: "GET",
    url: "/api/activations/:id/explain/",
    schema: {
      operationId: "explainUser",
      summary: "One user's timeline, newest run first",
      description:
        "Whether the user is wanted, what Braze is known to show, and what each run did. Needs no worker.",
      tags: ["activations"],
      params: activationParamsSchema,
      querystring: explainQuerySchema,
      response: {
        200: explanationSchema.describe("Told from the log; the user is not named."),
        ...readProblems,
      },
    },
    handler: async (request) => {
      const key = await existingConnector(gateway, request);
      const { user_id, limit, before } = request.query;
      return await gateway.explain(key, user_id, { limit, before });
    },
  });
}
