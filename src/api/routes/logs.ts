import { activationParamsSchema, pageQuerySchema } from "../../contracts/http.ts";
import { runPageSchema } from "../../contracts/http-answers.ts";
import { shownRun } from "../../client/logged-view.ts";
import { readProblems } from "../answers.ts";
import { existingConnector } from "../asked-connector.ts";
import type { Gateway, Server } from "../gateway.ts";
import { pageEnvelope } from "../pages.ts";

/** A connector's runs from its log. */
export function logsRoutes(server: Server, gateway: Gateway): void {
  server.route({
    method: "GET",
    url: "/api/activations/:id/logs/",
    schema: {
      operationId: "listRuns",
      summary: "A connector's runs, newest first",
      description: "Read from its log: needs no worker.",
      tags: ["activations"],
      params: activationParamsSchema,
      querystring: pageQuerySchema,
      response: { 200: runPageSchema.describe("One page of them."), ...readProblems },
    },
    handler: async (request) => {
      const key = await existingConnector(gateway, request);
      const { page, page_size } = request.query;
      const log = gateway.reads.log(key);
      const { lastNumber: count } = await log.end();
      const before = count - (page - 1) * page_size + 1;
      const runs = before > 1 ? await log.runs({ limit: page_size, before }) : [];
      return pageEnvelope(request, request.query, count, runs.map(shownRun));
    },
  });
}
