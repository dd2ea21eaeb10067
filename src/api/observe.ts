import type { Gateway, Server } from "./gateway.ts";

/**
 * One line and one count per request: by route pattern, because an address may hold a user's id, and never with headers or bodies.
 */
export function observe(server: Server, { metrics }: Pick<Gateway, "metrics">): void {
  server.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });
  server.addHook("onResponse", async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? "none";
    const status = reply.statusCode;
    metrics.requests.inc({ method, route, status });
    metrics.seconds.observe({ method, route }, reply.elapsedTime / 1000);
    const tenant = request.principal?.tenant;
    const line = { method, route, status, ms: Math.round(reply.elapsedTime) };
    request.log.info(tenant ? { ...line, tenant } : line, "request");
  });
}
