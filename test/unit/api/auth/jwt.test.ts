import { createServer, type Server } from "node:http";
import { mkdtemp, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createVerifyToken, type VerifyToken } from "../../../../src/api/auth/jwt.ts";
import { parseEnvironment } from "../../../../src/contracts/environment.ts";

const secret = "a-shared-secret-of-at-least-32-bytes!";
const claims = {
  tenant_slug: "acme",
  role: "member",
  sub: "person-1",
  iss: "https://segops.example.org",
  aud: "braze",
};

let jwks: Server;
let jwksUrl: string;
let keys: { privateKey: CryptoKey; publicKey: CryptoKey };
let secretFile: string;

beforeAll(async () => {
  keys = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "one", alg: "ES256" };
  jwks = createServer((_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
  await new Promise<void>((resolve) => jwks.listen(0, "127.0.0.1", resolve));
  jwksUrl = `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/jwks`;
  secretFile = join(await mkdtemp(join(tmpdir(), "segops-braze-jwt-")), "secret");
  await writeFile(secretFile, `${secret}\n`);
});
afterAll(() => void jwks.close());

async function verifier(variables: Record<string, string>): Promise<VerifyToken> {
  const verify = await createVerifyToken(
    parseEnvironment({ JWT_ISSUER: claims.iss, JWT_AUDIENCE: claims.aud, ...variables }),
  );
  if (!verify) throw new Error("no tokens are accepted");
  return verify;
}

function shared(payload: JWTPayload, alg = "HS256", key = secret): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg }).sign(Buffer.from(key));
}

const soon = () => Math.floor(Date.now() / 1000) + 60;

test("a token signed with the shared secret says tenant and role", async () => {
  const verify = await verifier({ JWT_SECRET_FILE: secretFile });
  expect(await verify(await shared({ ...claims, exp: soon() }))).toMatchObject({
    tenant: "acme",
    role: "member",
  });
});

test("a token signed with a key of the JWK set says tenant and role, under claims of other names too", async () => {
  const verify = await verifier({
    JWT_JWKS_URL: jwksUrl,
    JWT_TENANT_CLAIM: "https://segops.example.org/tenant",
    JWT_ROLE_CLAIM: "segops_role",
  });
  const token = await new SignJWT({
    ...claims,
    "https://segops.example.org/tenant": "other",
    segops_role: "viewer",
    exp: soon(),
  })
    .setProtectedHeader({ alg: "ES256", kid: "one" })
    .sign(keys.privateKey);
  expect(await verify(token)).toMatchObject({ tenant: "other", role: "viewer" });
});

describe("a token is refused with 401", () => {
  const cases: [string, () => Promise<string>][] = [
    ["without an end", () => shared(claims)],
    ["past its end", () => shared({ ...claims, exp: soon() - 600 })],
    ["of another issuer", () => shared({ ...claims, iss: "https://elsewhere.example.org", exp: soon() })],
    ["for another audience", () => shared({ ...claims, aud: "klaviyo", exp: soon() })],
    ["without a tenant", () => shared({ ...claims, tenant_slug: undefined, exp: soon() })],
    ["with a tenant that climbs", () => shared({ ...claims, tenant_slug: "../acme", exp: soon() })],
    ["by another secret", () => shared({ ...claims, exp: soon() }, "HS256", `${secret}?`)],
    [
      "by another algorithm of the same secret",
      () => shared({ ...claims, exp: soon() }, "HS512", secret.repeat(2)),
    ],
    ["without a signature", async () => new UnsecuredJWT({ ...claims, exp: soon() }).encode()],
    ["that is none", async () => "not.a.token"],
  ];
  test.each(cases)("%s", async (_, make) => {
    const verify = await verifier({ JWT_SECRET_FILE: secretFile });
    await expect(verify(await make())).rejects.toMatchObject({ status: 401 });
  });

  test("signed with the public key taken for a shared secret", async () => {
    const verify = await verifier({ JWT_JWKS_URL: jwksUrl });
    const publicKey = JSON.stringify(await exportJWK(keys.publicKey));
    await expect(verify(await shared({ ...claims, exp: soon() }, "HS256", publicKey))).rejects.toMatchObject({
      status: 401,
    });
  });
});

test("a role that SegOps does not have may do nothing: 403", async () => {
  const verify = await verifier({ JWT_SECRET_FILE: secretFile });
  await expect(verify(await shared({ ...claims, role: "root", exp: soon() }))).rejects.toMatchObject({
    status: 403,
  });
});

test("keys that cannot be fetched are no fault of the token: 503", async () => {
  const verify = await verifier({ JWT_JWKS_URL: "http://127.0.0.1:9/jwks" });
  const token = await new SignJWT({ ...claims, exp: soon() })
    .setProtectedHeader({ alg: "ES256", kid: "one" })
    .sign(keys.privateKey);
  await expect(verify(token)).rejects.toMatchObject({ status: 503 });
});

test("a short secret, a missing file and two kinds at once stop the start", async () => {
  const short = `${secretFile}-short`;
  await writeFile(short, "too short");
  const wrong: [Record<string, string>, RegExp][] = [
    [{ JWT_SECRET_FILE: short }, /at least 32 bytes/],
    [{ JWT_SECRET_FILE: `${secretFile}-none` }, /cannot be read \(ENOENT\)/],
    [{ JWT_SECRET_FILE: secretFile, JWT_JWKS_URL: jwksUrl }, /choose one/],
  ];
  for (const [variables, words] of wrong) await expect(verifier(variables)).rejects.toThrow(words);
});
