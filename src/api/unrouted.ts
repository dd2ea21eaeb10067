import type { Server } from "./gateway.ts";

/** What is served nowhere is 404; what is served by another method is 405 with those that are. */
export function refuseUnrouted(server: Server): void {
  // With a body it would be refused for its content type before it is seen that nothing here is served by it.
  server.addHttpMethod("QUERY", { hasBody: false, overrideExisting: true });
  const routes: { pattern: RegExp; methods: Set<string> }[] = [];
  server.addHook("onRoute", ({ url, method }) => {
    if (url.includes("*")) return;
    const pattern = patternOf(url);
    const known = routes.find((route) => route.pattern.source === pattern.source);
    const methods = known?.methods ?? new Set<string>();
    for (const each of [method].flat()) methods.add(each);
    if (!known) routes.push({ pattern, methods });
  });
  server.setNotFoundHandler((request, reply) => {
    const [path = ""] = request.url.split("?");
    const allowed = routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods]);
    if (allowed.length === 0) {
      return reply.code(404).send({ detail: "Not found: GET /api/openapi.json describes what is served." });
    }
    return reply
      .code(405)
      .header("allow", [...new Set(allowed)].sort().join(", "))
      .send({ detail: `Method "${request.method}" not allowed.` });
  });
}

function patternOf(url: string): RegExp {
  const path = url.replace(/\/$/, "").replaceAll(".", "\\.").replaceAll(/:\w+/g, "[^/]+");
  return new RegExp(`^${path}/?$`);
}
