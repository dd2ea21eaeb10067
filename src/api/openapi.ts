import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { Server } from "./gateway.ts";

const description = `SegOps' Activations API, as its documentation describes it, over connectors that run on Temporal.

* **Who asks**: \`Authorization: ApiKey sk_…\`, a key bound to one tenant, or a token where this installation accepts any. A viewer
  reads; a member and above also write. Another tenant's connectors are not found.
* **Errors**: \`{"detail": "…"}\`, or every field at fault with its reasons, \`{"rest_endpoint": ["…"]}\`, by the field's own name
  wherever it stands. 400: the request is wrong by itself. 409: it conflicts with what is stored, such as a moved endpoint without its
  key, a digest that no removal is held under, or a run asked of an inactive connector.
* **Lists**: \`count\`, \`next\`, \`previous\`, \`results\`; \`page_size\` is at most 100.
* **Again**: a write that no worker takes within 5 s is answered 503 and may still be done. A POST that is repeated under its
  \`Idempotency-Key\` is carried out once, and its first answer is replayed for 24 hours, whatever gateway it reaches. Any other write is
  known again only by the gateway process that took it, for ten minutes, and only while that was its last write to the connector: repeated
  later, elsewhere or after another one, it is a new write. Look at the connector first.
* Addresses are taken with and without the slash at their end.`;

/** Before the routes, so that it hears of them. */
export async function describeRoutes(server: Server, version: string): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "segops-braze", description, version, license: { name: "Apache-2.0" } },
      tags: [
        { name: "activations", description: "The connectors of a tenant." },
        { name: "analytics" },
        { name: "session" },
        { name: "webhook" },
        {
          name: "operations",
          description: "For those who run the service; open to whoever reaches the port.",
        },
      ],
      security: [{ apiKey: [] }, { token: [] }],
      components: {
        securitySchemes: {
          apiKey: {
            type: "apiKey",
            in: "header",
            name: "Authorization",
            description:
              "`ApiKey sk_…`: the word ApiKey, a space and a key of `segops-braze api-key create`.",
          },
          token: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
          webhookSignature: {
            type: "apiKey",
            in: "header",
            name: "X-SegOps-Signature",
            description:
              "`sha256=` and the hex HMAC-SHA256 of the raw body under the tenant's webhook secret.",
          },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => published(jsonSchemaTransformObject(document) as Document),
  });
  await server.register(swaggerUi, {
    routePrefix: "/api/docs",
    uiConfig: { validatorUrl: null },
    staticCSP: docsPolicy,
  });
  server.get("/api/openapi.json", { schema: { hide: true } }, () => server.swagger());
}

/** As strict as the page's, but for the styles that Swagger UI sets on its elements. */
const docsPolicy = {
  "default-src": "'none'",
  "script-src": "'self'",
  "style-src": "'self' 'unsafe-inline'",
  "img-src": "'self' data:",
  "connect-src": "'self'",
  "base-uri": "'none'",
  "form-action": "'none'",
  "frame-ancestors": "'none'",
};

type Json = Record<string, unknown>;
interface Document {
  openapi: string;
  paths?: Record<string, Record<string, { responses?: Record<string, Json> }>>;
  components?: { schemas?: Json };
}

const retryAfter = {
  "Retry-After": { description: "Seconds.", schema: { type: "integer", minimum: 0 } },
};

/** What the schemas cannot say by themselves: which answers grow, what a number in a query is, when to come again. */
function published(document: Document): Document {
  for (const operation of Object.values(document.paths ?? {}).flatMap((path) => Object.values(path))) {
    for (const [status, response] of Object.entries(operation.responses ?? {})) {
      open(response);
      if (status === "429" || status === "503") response["headers"] = retryAfter;
    }
  }
  open(document.components?.schemas);
  numbersAsNumbers(document);
  dropUnused(document);
  return document;
}

/** Answers grow by fields: a reader bears those that it does not know. */
function open(schema: unknown): void {
  eachObject(schema, (object) => {
    if (object["additionalProperties"] === false) delete object["additionalProperties"];
  });
}

/** A number in a query or a path is text to be checked by its digits, and a number to whoever sends it. */
function numbersAsNumbers(document: unknown): void {
  eachObject(document, (object) => {
    if (object["type"] === "integer") delete object["pattern"];
  });
}

/** Every schema is registered as what may be sent and as what is answered; only what some route names is told. */
function dropUnused(document: Document): void {
  const schemas = document.components?.schemas ?? {};
  const named = new Set<unknown>();
  const visit = (value: unknown): void =>
    eachObject(value, ({ $ref: ref }) => {
      if (typeof ref !== "string" || named.has(ref)) return;
      named.add(ref);
      visit(schemas[ref.replace(/^.*\//, "")]);
    });
  visit(document.paths);
  for (const name of Object.keys(schemas)) {
    if (!named.has(`#/components/schemas/${name}`)) delete schemas[name];
  }
}

function eachObject(value: unknown, visit: (object: Json) => void): void {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) visit(value as Json);
  for (const child of Object.values(value)) eachObject(child, visit);
}
