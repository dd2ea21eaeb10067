import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InjectOptions } from "fastify";
import { z } from "zod";
import { loggedConnector } from "./logged-connector.ts";
import { apiKey, otherKey, testGateway, viewerKey, webhookSecret, type TestGateway } from "./test-gateway.ts";

// In every place where a secret or a user's id might be given: none of it may be logged, nor told back but to a field's own name.
const canary = "canary-4d1f";
const connector = "/api/activations/7/";
const hook = "/api/webhooks/segops/";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await testGateway();
  await loggedConnector(gateway.storage, 7, { outcomes: ["clean"] });
  await loggedConnector(gateway.storage, 8, { tenant_slug: "other" });
});
afterAll(() => gateway.server.close());

interface Bad extends Omit<InjectOptions, "headers"> {
  headers?: Record<string, string>;
}

const goodConfig = { rest_endpoint: "https://rest.iad-01.braze.com", api_key: `${canary}-key` };
const json = { "content-type": "application/json" };

function creating(body: unknown): Bad {
  return { method: "POST", url: "/api/activations/", payload: JSON.stringify(body), headers: json };
}

function configured(changed: object): Bad {
  return creating({ segment: 7, connector_type: "braze", config: { ...goodConfig, ...changed } });
}

function patching(body: unknown): Bad {
  return { method: "PATCH", url: connector, payload: JSON.stringify(body), headers: json };
}

function raw(payload: string | Buffer, headers: Record<string, string>): Bad {
  return { method: "POST", url: "/api/activations/", payload, headers };
}

function approving(body: unknown): Bad {
  return {
    method: "POST",
    url: `${connector}approve-removal/`,
    payload: JSON.stringify(body),
    headers: json,
  };
}

function signed(body: string | Buffer, secret = webhookSecret, prefix = "sha256="): Bad {
  const signature = `${prefix}${createHmac("sha256", secret).update(body).digest("hex")}`;
  return {
    method: "POST",
    url: hook,
    payload: body,
    headers: { ...json, "x-segops-signature": signature, authorization: "" },
  };
}

function authorized(authorization: string): Bad {
  return { method: "GET", url: "/api/activations/", headers: { authorization } };
}

const recompute = JSON.stringify({ event: "segment.recomputed", tenant_slug: "acme", segment_id: 7 });

/** Name, request, status, and where the fault is: a field, or words of `detail`. */
const cases: [name: string, request: Bad, status: number, fault: string | RegExp][] = [
  // Bodies of a new connector
  ["a body that is a list", creating([]), 400, /body must be a JSON object/],
  ["a body that is null", creating(null), 400, /body must be a JSON object/],
  ["a body that is a text", creating(canary), 400, /body must be a JSON object/],
  ["no body at all", { method: "POST", url: "/api/activations/" }, 400, /body must be a JSON object/],
  ["an empty object", creating({}), 400, "segment"],
  ["no segment", creating({ connector_type: "braze", config: goodConfig }), 400, "segment"],
  [
    "a segment as text",
    creating({ segment: "7", connector_type: "braze", config: goodConfig }),
    400,
    "segment",
  ],
  ["a segment of 0", creating({ segment: 0, connector_type: "braze", config: goodConfig }), 400, "segment"],
  [
    "a negative segment",
    creating({ segment: -7, connector_type: "braze", config: goodConfig }),
    400,
    "segment",
  ],
  ["half a segment", creating({ segment: 7.5, connector_type: "braze", config: goodConfig }), 400, "segment"],
  ["a segment past 2^53", raw('{"segment":9007199254740993,"connector_type":"braze"}', json), 400, "segment"],
  [
    "another connector_type",
    creating({ segment: 7, connector_type: "klaviyo", config: goodConfig }),
    400,
    "connector_type",
  ],
  ["no connector_type", creating({ segment: 7, config: goodConfig }), 400, "connector_type"],
  ["no config", creating({ segment: 7, connector_type: "braze" }), 400, "config"],
  [
    "a config that is a text",
    creating({ segment: 7, connector_type: "braze", config: canary }),
    400,
    "config",
  ],
  [
    "a field that nobody knows",
    creating({ segment: 7, connector_type: "braze", config: goodConfig, activate: true }),
    400,
    "activate",
  ],
  [
    "a status on creation",
    creating({ segment: 7, connector_type: "braze", config: goodConfig, status: "active" }),
    400,
    "status",
  ],
  ["a config field that nobody knows", configured({ list_id: canary }), 400, "list_id"],
  // What Braze hosts there are
  ["no rest_endpoint", configured({ rest_endpoint: undefined }), 400, "rest_endpoint"],
  [
    "an endpoint over http",
    configured({ rest_endpoint: "http://rest.iad-01.braze.com" }),
    400,
    "rest_endpoint",
  ],
  [
    "an endpoint with a slash",
    configured({ rest_endpoint: "https://rest.iad-01.braze.com/" }),
    400,
    "rest_endpoint",
  ],
  [
    "an endpoint with a path",
    configured({ rest_endpoint: "https://rest.iad-01.braze.com/users" }),
    400,
    "rest_endpoint",
  ],
  [
    "an endpoint with a port",
    configured({ rest_endpoint: "https://rest.iad-01.braze.com:8443" }),
    400,
    "rest_endpoint",
  ],
  [
    "an endpoint with a password",
    configured({ rest_endpoint: `https://u:${canary}@rest.iad-01.braze.com` }),
    400,
    "rest_endpoint",
  ],
  [
    "an endpoint on the loopback",
    configured({ rest_endpoint: "http://127.0.0.1:6379" }),
    400,
    "rest_endpoint",
  ],
  [
    "a cloud's metadata address",
    configured({ rest_endpoint: "http://169.254.169.254" }),
    400,
    "rest_endpoint",
  ],
  [
    "a host that ends in Braze's",
    configured({ rest_endpoint: "https://rest.iad-01.braze.com.example.org" }),
    400,
    "rest_endpoint",
  ],
  [
    "a host that begins otherwise",
    configured({ rest_endpoint: "https://evil-rest.iad-01.braze.com" }),
    400,
    "rest_endpoint",
  ],
  ["an endpoint that is no address", configured({ rest_endpoint: "iad-01" }), 400, "rest_endpoint"],
  ["an endpoint that is a number", configured({ rest_endpoint: 7 }), 400, "rest_endpoint"],
  // Keys and options
  ["no api_key", configured({ api_key: undefined }), 400, "api_key"],
  ["an empty api_key", configured({ api_key: "" }), 400, "api_key"],
  ["an api_key of two words", configured({ api_key: `${canary} key` }), 400, "api_key"],
  ["an api_key with a line end", configured({ api_key: `${canary}\n` }), 400, "api_key"],
  ["an api_key of 513 characters", configured({ api_key: "k".repeat(513) }), 400, "api_key"],
  ["*** as a new connector's key", configured({ api_key: "***" }), 400, "api_key"],
  ["a subscription group with a slash", configured({ segment_id: "a/b" }), 400, "segment_id"],
  ["an attribute that is Braze's own", configured({ attribute_name: "email" }), 400, "attribute_name"],
  ["an attribute in capitals", configured({ attribute_name: "VIP" }), 400, "attribute_name"],
  ["another exit_mode", configured({ exit_mode: "delete" }), 400, "exit_mode"],
  [
    "create_missing_users as a text",
    configured({ create_missing_users: "yes" }),
    400,
    "create_missing_users",
  ],
  ["101 percent", configured({ max_removal_percent: 101 }), 400, "max_removal_percent"],
  ["no requests a second", configured({ requests_per_second: 0 }), 400, "requests_per_second"],
  ["batches of 76", configured({ batch_size: 76 }), 400, "batch_size"],
  // Encodings and sizes
  ["half a JSON document", raw(`{"segment": "${canary}"`, json), 400, /not valid JSON/],
  ["bytes that are no UTF-8", raw(Buffer.from([0x7b, 0xff, 0x7d]), json), 400, /not valid UTF-8/],
  ["a key that reaches for prototypes", raw('{"__proto__":{"role":"owner"}}', json), 400, /not valid JSON/],
  [
    "a form",
    raw("segment=7", { "content-type": "application/x-www-form-urlencoded" }),
    415,
    /application\/json/,
  ],
  ["a text", raw("{}", { "content-type": "text/plain" }), 415, /application\/json/],
  ["JSON in Latin-1", raw("{}", { "content-type": "application/json; charset=latin1" }), 415, /UTF-8/],
  ["a compressed body", raw("{}", { ...json, "content-encoding": "gzip" }), 415, /uncompressed/],
  ["a body of over 64 KiB", raw(`{"x":"${"x".repeat(66_000)}"}`, json), 413, /at most 65536 bytes/],
  [
    "an idempotency key with a space",
    { ...configured({}), headers: { ...json, "idempotency-key": "a b" } },
    400,
    "idempotency-key",
  ],
  [
    "an idempotency key of 256",
    { ...configured({}), headers: { ...json, "idempotency-key": "k".repeat(256) } },
    400,
    "idempotency-key",
  ],
  // Changes
  ["a status that SegOps does not know", patching({ status: "paused" }), 400, "status"],
  ["error as a wanted status", patching({ status: "error" }), 400, "status"],
  ["another segment", patching({ segment: 9 }), 409, "segment"],
  ["another type", patching({ connector_type: "klaviyo" }), 400, "connector_type"],
  ["a null endpoint", patching({ config: { rest_endpoint: null } }), 400, "rest_endpoint"],
  ["a null key", patching({ config: { api_key: null } }), 400, "api_key"],
  [
    "PUT without a key",
    { ...patching({ config: { rest_endpoint: goodConfig.rest_endpoint } }), method: "PUT" },
    400,
    "api_key",
  ],
  ["PUT without config", { ...patching({ status: "active" }), method: "PUT" }, 400, "config"],
  [
    "sync with a body",
    { method: "POST", url: `${connector}sync/`, payload: '{"full":true}', headers: json },
    400,
    "full",
  ],
  ["an approval without digest", approving({}), 400, "digest"],
  ["an approval by a short digest", approving({ digest: "abc" }), 400, "digest"],
  ["an approval by a digest in capitals", approving({ digest: "A".repeat(64) }), 400, "digest"],
  // Ids, queries, methods
  ["an id that is a word", { method: "GET", url: "/api/activations/seven/" }, 404, /no connector of this id/],
  ["an id of 0", { method: "GET", url: "/api/activations/0/" }, 404, /no connector of this id/],
  [
    "an id past 2^53",
    { method: "GET", url: "/api/activations/9007199254740993/" },
    404,
    /no connector of this id/,
  ],
  ["an id that climbs", { method: "GET", url: "/api/activations/..%2F7/" }, 404, /no connector of this id/],
  ["an id of nobody's", { method: "POST", url: "/api/activations/99/sync/" }, 404, /no connector of this id/],
  ["another tenant's id", { method: "GET", url: "/api/activations/8/" }, 404, /no connector of this id/],
  [
    "another tenant's id to delete",
    { method: "DELETE", url: "/api/activations/8/" },
    404,
    /no connector of this id/,
  ],
  [
    "an address that is badly encoded",
    { method: "GET", url: "/api/activations/%ff/" },
    400,
    /percent-encoding/,
  ],
  ["an address of nothing", { method: "GET", url: "/api/activation/" }, 404, /openapi\.json/],
  ["page 0", { method: "GET", url: "/api/activations/?page=0" }, 400, "page"],
  ["a page that is a word", { method: "GET", url: "/api/activations/?page=two" }, 400, "page"],
  ["a page past the end", { method: "GET", url: "/api/activations/?page=2" }, 404, /Invalid page/],
  ["a page of 101", { method: "GET", url: "/api/activations/?page_size=101" }, 400, "page_size"],
  [
    "a Host that is no host",
    { method: "GET", url: "/api/activations/", headers: { host: `${canary} [` } },
    400,
    /Host/,
  ],
  [
    "a Host with credentials before it",
    { method: "GET", url: "/api/activations/", headers: { host: `${canary}@example.org` } },
    400,
    /Host/,
  ],
  ["page given twice", { method: "GET", url: "/api/activations/?page=1&page=2" }, 400, "page"],
  ["another status to list", { method: "GET", url: "/api/activations/?status=paused" }, 400, "status"],
  ["a misspelt cleanup", { method: "DELETE", url: `${connector}?clean_up=true` }, 400, "clean_up"],
  ["a cleanup that is neither", { method: "DELETE", url: `${connector}?cleanup=1` }, 400, "cleanup"],
  [
    "PUT on the list",
    { method: "PUT", url: "/api/activations/", payload: "{}", headers: json },
    405,
    /"PUT" not allowed/,
  ],
  ["GET on sync", { method: "GET", url: `${connector}sync/` }, 405, /"GET" not allowed/],
  ["TRACE", { method: "TRACE" as "GET", url: connector }, 405, /"TRACE" not allowed/],
  ["GET on the webhook", { method: "GET", url: hook }, 405, /"GET" not allowed/],
  ["a user to explain without an id", { method: "GET", url: `${connector}explain/` }, 400, "user_id"],
  ["an empty user id", { method: "GET", url: `${connector}explain/?user_id=` }, 400, "user_id"],
  [
    "a user id of over 1000 characters",
    { method: "GET", url: `${connector}explain/?user_id=${canary.repeat(100)}` },
    400,
    "user_id",
  ],
  [
    "a user of another tenant's connector",
    { method: "GET", url: `/api/activations/8/explain/?user_id=${canary}` },
    404,
    /no connector of this id/,
  ],
  // Who asks
  ["nobody", authorized(""), 401, /not provided/],
  ["a scheme of another kind", authorized(`Basic ${canary}`), 401, /scheme must be ApiKey/],
  ["a key without a scheme", authorized(apiKey), 401, /Authorization: ApiKey/],
  ["a key that nobody has", authorized(`ApiKey sk_${canary}`), 401, /Invalid API key/],
  ["a key and more", authorized(`ApiKey ${apiKey} ${canary}`), 401, /Authorization: ApiKey/],
  ["a token where none is accepted", authorized(`Bearer ${canary}`), 401, /No tokens/],
  [
    "a viewer who activates",
    { ...patching({ status: "active" }), headers: { ...json, authorization: `ApiKey ${viewerKey}` } },
    403,
    /viewer reads/,
  ],
  [
    "a viewer who deletes",
    { method: "DELETE", url: connector, headers: { authorization: `ApiKey ${viewerKey}` } },
    403,
    /viewer reads/,
  ],
  [
    "a stranger's wrong body",
    { ...creating({}), headers: { ...json, authorization: `ApiKey sk_${canary}` } },
    401,
    /Invalid API key/,
  ],
  [
    "a tenant's key for another's connector",
    { method: "GET", url: connector, headers: { authorization: `ApiKey ${otherKey}` } },
    404,
    /no connector of this id/,
  ],
  // Webhooks
  ["a webhook that is no JSON", signed(`{"tenant_slug":"${canary}`), 400, /not valid JSON/],
  ["an empty webhook", signed(""), 400, /not valid JSON/],
  ["a webhook that is a list", signed("[]"), 400, /JSON object/],
  ["a webhook without a tenant", signed('{"segment_id":7}'), 400, "tenant_slug"],
  ["a webhook of a tenant in capitals", signed('{"tenant_slug":"ACME","segment_id":7}'), 400, "tenant_slug"],
  ["a webhook without a segment", signed('{"tenant_slug":"acme"}'), 400, "segment_id"],
  ["a webhook for segment 0", signed('{"tenant_slug":"acme","segment_id":0}'), 400, "segment_id"],
  [
    "a webhook without a signature",
    { method: "POST", url: hook, payload: recompute, headers: json },
    401,
    /Invalid signature/,
  ],
  ["a signature by another secret", signed(recompute, canary), 401, /Invalid signature/],
  ["a signature under another name", signed(recompute, webhookSecret, "sha1="), 401, /Invalid signature/],
  [
    "a signature of another body",
    { ...signed(recompute), payload: `${recompute} ` },
    401,
    /Invalid signature/,
  ],
  [
    "a signature cut short",
    { ...signed(recompute), headers: { ...json, "x-segops-signature": "sha256=ab" } },
    401,
    /Invalid signature/,
  ],
  [
    "a tenant without a secret",
    signed('{"tenant_slug":"other","segment_id":8}', ""),
    401,
    /Invalid signature/,
  ],
  ["a tenant that nobody knows", signed(`{"tenant_slug":"nobody","segment_id":8}`), 401, /Invalid signature/],
  ["a webhook of over 64 KiB", signed(`{"x":"${"x".repeat(66_000)}"}`), 413, /at most 65536 bytes/],
];

async function keysInStorage(): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of gateway.storage.list("")) keys.push(key);
  return keys;
}

/** What a browser or a client needs to be told beside the body. */
const headersOf: Record<number, object> = {
  401: { "www-authenticate": expect.stringMatching(/./) as string },
  405: { allow: expect.stringMatching(/[A-Z]/) as string },
};

/** The words at a field, or those of a lone `detail`; throws where they are not there. */
function faultIn(body: Record<string, unknown>, fault: string | RegExp): string {
  if (typeof fault === "string") return z.array(z.string()).min(1).parse(body[fault]).join("; ");
  return z.strictObject({ detail: z.string() }).parse(body).detail;
}

describe("a bad request gets its status and says where the fault is; nothing is started, changed or logged of it", () => {
  test.each(cases)("%s", async (_name, { headers = {}, ...request }, status, fault) => {
    const before = await keysInStorage();
    gateway.asked.length = 0;
    gateway.lines.length = 0;
    const authorization = headers["authorization"] ?? `ApiKey ${apiKey}`;
    const answer = await gateway.server.inject({
      ...request,
      headers: { ...headers, ...(authorization ? { authorization } : {}) },
    });
    expect({ status: answer.statusCode, body: answer.body }).toMatchObject({ status });
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    expect(answer.headers["x-request-id"]).toMatch(/./);
    expect(faultIn(answer.json(), fault)).toMatch(typeof fault === "string" ? /\w{4}/ : fault);
    expect(answer.headers).toMatchObject(headersOf[status] ?? {});
    expect(answer.body).not.toContain(canary);
    expect(gateway.asked).toEqual([]);
    expect(await keysInStorage()).toEqual(before);
    const lines = gateway.lines.join("");
    expect(lines).toContain(`"status":${status}`);
    for (const secret of [canary, apiKey, otherKey, viewerKey, webhookSecret])
      expect(lines).not.toContain(secret);
  });

  test("there are at least sixty of them", () => {
    expect(new Set(cases.map(([name]) => name)).size).toBeGreaterThanOrEqual(60);
    expect(new Set(cases.map(([name]) => name)).size).toBe(cases.length);
  });
});
