import {
  activationParamsSchema,
  approvalSchema,
  emptyBodySchema,
  idempotencyHeadersSchema,
  noQuerySchema,
} from "../../contracts/http.ts";
import { queuedSchema } from "../../contracts/http-answers.ts";
import { writeProblems } from "../answers.ts";
import { existingConnector } from "../asked-connector.ts";
import type { Gateway, Server } from "../gateway.ts";
import { answerOnce } from "../idempotency.ts";

const queued = { status: 202, body: { status: "queued" } } as const;

/** What a connector is told to do now. */
export function steeringRoutes(server: Server, gateway: Gateway): void {
  const common = {
    tags: ["activations"],
    params: activationParamsSchema,
    querystring: noQuerySchema,
    headers: idempotencyHeadersSchema,
    response: { 202: queuedSchema.describe("A run will follow."), ...writeProblems },
  };

  const runs = [
    ["sync", "Run now", "Whether or not anything is new. An inactive connector refuses: 409."],
    [
      "resync",
      "Write every member again",
      "Also those whom Braze once rejected for good: for a Braze that lost or changed what it had.",
    ],
  ] as const;
  for (const [kind, summary, description] of runs) {
    server.route({
      method: "POST",
      url: `/api/activations/:id/${kind}/`,
      config: { writes: true },
      schema: { operationId: `${kind}Activation`, summary, description, ...common, body: emptyBodySchema },
      handler: async (request, reply) => {
        const key = await existingConnector(gateway, request);
        return await answerOnce(gateway, request, reply, async (asked) => {
          await gateway.writes.run(key, kind, asked);
          return queued;
        });
      },
    });
  }

  server.route({
    method: "POST",
    url: "/api/activations/:id/approve-removal/",
    config: { writes: true },
    schema: {
      operationId: "approveRemoval",
      summary: "Let held removals go out",
      description: "Exactly the users that were held under this digest, as pending_removal shows it.",
      ...common,
      body: approvalSchema,
    },
    handler: async (request, reply) => {
      const key = await existingConnector(gateway, request);
      const { digest } = request.body;
      return await answerOnce(gateway, request, reply, async (asked) => {
        await gateway.writes.approveRemoval(key, digest, asked);
        return queued;
      });
    },
  });
}
