import { randomUUID } from "node:crypto";
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import { validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { maxBodyBytes } from "../contracts/http.ts";
import { writeSchemas } from "../contracts/http-config.ts";
import { authenticate } from "./auth/authenticate.ts";
import { readBodies } from "./bodies.ts";
import { ConnectorReads } from "./connector-reads.ts";
import { ConnectorWrites } from "./connector-writes.ts";
import type { GatewayDeps } from "./deps.ts";
import type { Gateway, Server } from "./gateway.ts";
import { createMetrics } from "./metrics.ts";
import { describeRoutes } from "./openapi.ts";
import { servePage } from "./page.ts";
import { observe } from "./observe.ts";
import { stackFrames } from "../stack-frames.ts";
import { HttpProblem, problemOf } from "./problems.ts";
import { activationRoutes } from "./routes/activation.ts";
import { activationsRoutes } from "./routes/activations.ts";
import { analyticsRoutes } from "./routes/analytics.ts";
import { explainRoutes } from "./routes/explain.ts";
import { healthRoutes } from "./routes/health.ts";
import { logsRoutes } from "./routes/logs.ts";
import { rejectedRoutes } from "./routes/rejected.ts";
import { sessionRoutes } from "./routes/session.ts";
import { steeringRoutes } from "./routes/steering.ts";
import { webhookRoutes } from "./routes/webhook.ts";
import { refuseUnrouted } from "./unrouted.ts";

/** The gateway without a socket: every route, hook and limit. */
export async function buildServer(deps: GatewayDeps): Promise<Server> {
  const reads = new ConnectorReads(deps);
  const writes = new ConnectorWrites(deps.connectors, reads);
  const gateway: Gateway = { ...deps, reads, writes, metrics: createMetrics() };
  const loggerInstance: FastifyBaseLogger = deps.log;
  const server: Server = fastify({
    loggerInstance,
    // Its own lines would hold addresses; `observe` writes ours.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    bodyLimit: maxBodyBytes,
    trustProxy: [...(deps.trustedProxies ?? [])],
    requestTimeout: 30_000,
    frameworkErrors: refuseBadAddress,
    genReqId: (request) => requestId(request.headers["x-request-id"]),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 100 },
  }).withTypeProvider<ZodTypeProvider>();
  server.setValidatorCompiler(validatorCompiler);
  // Answers are what the schemas say by test, and never fail to leave because of one.
  server.setSerializerCompiler(() => (data) => JSON.stringify(data));
  server.decorateRequest("principal", null);
  server.decorateRequest("rawBody", "");
  await server.register(helmet, { contentSecurityPolicy: { useDefaults: false, directives: strictPolicy } });
  await server.register(rateLimit, { global: false });
  observe(server, gateway);
  readBodies(server);
  refuseUnrouted(server);
  await describeRoutes(server, deps.version);
  if (deps.webFolder) await servePage(server, deps.webFolder);
  server.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (!problem) {
      // Its own words may hold a user's id.
      const name = error instanceof Error ? error.name : "unknown";
      request.log.error({ error: name, stack: stackFrames(error) }, "request failed");
      const detail = `Something failed that this release does not know. Report it with the request id ${request.id}.`;
      return reply.code(500).send({ detail });
    }
    return reply
      .code(problem.status)
      .headers(problem.headers ?? {})
      .send(problem.body);
  });
  healthRoutes(server, gateway);
  await server.register((scope: Server) => webhookRoutes(scope, gateway));
  await server.register(async (guarded: Server) => {
    guarded.addHook("onRequest", (request) => authenticate(request, deps.doorkeeper));
    guarded.addHook(
      "onRequest",
      server.rateLimit({
        max: deps.ratePerMinute,
        timeWindow: 60_000,
        keyGenerator: ({ principal }) => `${principal?.tenant}/${principal?.id}`,
        errorResponseBuilder: (_request, { ttl }) =>
          new HttpProblem(
            429,
            `Request was throttled: this key may make ${deps.ratePerMinute} a minute. Expected available in ${Math.ceil(ttl / 1000)} seconds.`,
          ),
      }),
    );
    const schemas = writeSchemas(deps.allowedOrigins);
    activationsRoutes(guarded, gateway, schemas);
    activationRoutes(guarded, gateway, schemas);
    steeringRoutes(guarded, gateway);
    logsRoutes(guarded, gateway);
    explainRoutes(guarded, gateway);
    rejectedRoutes(guarded, gateway);
    analyticsRoutes(guarded, gateway);
    sessionRoutes(guarded, gateway);
  });
  return server;
}

/** An address that cannot be read reaches no hook, so this does what they would. */
function refuseBadAddress(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = problemOf(error) ?? { status: 400, body: { detail: "Bad request." } };
  request.log.info({ method: request.method, route: "none", status }, "request");
  void reply.code(status).header("x-request-id", request.id).send(body);
}

/** A caller's own id is taken where it can be nothing else: no key, no address of a person. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === "string" && /^[A-Za-z0-9-]{8,64}$/.test(given) ? given : randomUUID();
}

/** Nothing from elsewhere, nothing inline, in no frame. */
const strictPolicy = {
  "default-src": ["'none'"],
  "script-src": ["'self'"],
  "style-src": ["'self'"],
  "img-src": ["'self'", "data:"],
  "font-src": ["'self'"],
  "connect-src": ["'self'"],
  "manifest-src": ["'self'"],
  "base-uri": ["'none'"],
  "form-action": ["'self'"],
  "frame-ancestors": ["'none'"],
};
