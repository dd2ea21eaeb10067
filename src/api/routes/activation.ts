import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { activationParamsSchema, deleteQuerySchema, noQuerySchema } from "../../contracts/http.ts";
import { activationSchema } from "../../contracts/http-answers.ts";
import { replacement, type WriteSchemas } from "../../contracts/http-config.ts";
import type { ConnectorSettings, ConnectorView } from "../../client.ts";
import { readProblems, writeProblems } from "../answers.ts";
import { askedConnector, existingConnector } from "../asked-connector.ts";
import type { Gateway, Server } from "../gateway.ts";
import { askedBy } from "../idempotency.ts";
import { HttpProblem } from "../problems.ts";

interface Change {
  segment?: number | undefined;
  status?: "active" | "inactive" | undefined;
  config?: ConnectorSettings | undefined;
}

/** One connector: look, change, remove. */
export function activationRoutes(server: Server, gateway: Gateway, { patch, put }: WriteSchemas): void {
  const common = { tags: ["activations"], params: activationParamsSchema };

  server.route({
    method: "GET",
    url: "/api/activations/:id/",
    schema: {
      operationId: "getActivation",
      summary: "One connector, with the progress of its run",
      description: "From its log where no worker answers within 2 s; then without the run's progress.",
      ...common,
      querystring: noQuerySchema,
      response: { 200: activationSchema.describe("The connector as it is now."), ...readProblems },
    },
    handler: (request) => gateway.reads.view(askedConnector(request)),
  });

  server.route({
    method: "PATCH",
    url: "/api/activations/:id/",
    config: { writes: true },
    schema: {
      operationId: "changeActivation",
      summary: "Activate, deactivate or change settings",
      description:
        "A field of config that is left out keeps its stored value, null returns it to its default, api_key *** keeps the stored key. " +
        "segment and connector_type may not change.",
      ...common,
      querystring: noQuerySchema,
      body: patch,
      response: { 200: activationSchema.describe("The connector as it is now."), ...writeProblems },
    },
    handler: (request) => change(gateway, request, request.body as Change),
  });

  server.route({
    method: "PUT",
    url: "/api/activations/:id/",
    config: { writes: true },
    schema: {
      operationId: "replaceActivation",
      summary: "Replace the settings",
      description:
        "A field of config that is left out returns to its default; api_key *** keeps the stored key.",
      ...common,
      querystring: noQuerySchema,
      body: put,
      response: { 200: activationSchema.describe("The connector as it is now."), ...writeProblems },
    },
    handler: (request) => {
      const { config, ...others } = request.body;
      return change(gateway, request, { ...(others as Change), config: replacement(config) });
    },
  });

  server.route({
    method: "DELETE",
    url: "/api/activations/:id/",
    config: { writes: true },
    schema: {
      operationId: "removeActivation",
      summary: "Remove a connector",
      description:
        "Braze keeps what it has, unless cleanup=true: then everyone is unset there first, by a run that this does not wait for. " +
        "204 then says that it has begun: the connector is still read, listed and refused as existing until everyone is unset.",
      ...common,
      querystring: deleteQuerySchema,
      response: {
        204: z.undefined().describe("Removed; with cleanup=true, being removed."),
        ...writeProblems,
      },
    },
    handler: async (request, reply) => {
      const key = await existingConnector(gateway, request);
      await gateway.writes.remove(key, request.query.cleanup === "true", askedBy(request));
      return await reply.code(204).send();
    },
  });
}

async function change(
  gateway: Gateway,
  request: FastifyRequest,
  { segment, status, config }: Change,
): Promise<ConnectorView> {
  const key = askedConnector(request as FastifyRequest<{ Params: { id: number } }>);
  const view = await gateway.reads.logged(key);
  if (segment !== undefined && segment !== key.segment_id) {
    throw new HttpProblem(409, {
      segment: ["cannot be changed: create a connector for the other segment and delete this one"],
    });
  }
  const changed = config && Object.keys(config).length > 0 ? config : undefined;
  if (!status && !changed) return view;
  return (await gateway.writes.change(key, { status, config: changed }, askedBy(request))) ?? view;
}
