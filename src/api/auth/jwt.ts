import { readFile } from "node:fs/promises";
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from "jose";
import { z } from "zod";
import { tenantSlugSchema } from "../../contracts/connector-id.ts";
import { EnvironmentError, type Environment } from "../../contracts/environment.ts";
import { roles } from "../../contracts/role.ts";
import { HttpProblem, unavailable } from "../problems.ts";
import type { Principal } from "./principal.ts";

type JwtVariables = Pick<
  Environment,
  "JWT_JWKS_URL" | "JWT_SECRET_FILE" | "JWT_ISSUER" | "JWT_AUDIENCE" | "JWT_TENANT_CLAIM" | "JWT_ROLE_CLAIM"
>;

/** Answers who a token is for. Throws an `HttpProblem` 401 for one that is not valid, 403 for a role that may do nothing here. */
export type VerifyToken = (token: string) => Promise<Principal>;

/** Shorter ones can be guessed from one token (RFC 7518, section 3.2). */
const minSecretBytes = 32;

/** Pinned per kind of key: a public key must never be taken for a shared secret. */
const publicKeyAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
const secretAlgorithms = ["HS256"];

const refusal = "Given token not valid: it is malformed, expired, or not signed for this service.";

/** Undefined where no token is accepted at all. Throws an `EnvironmentError` for settings that contradict each other. */
export async function createVerifyToken(variables: JwtVariables): Promise<VerifyToken | undefined> {
  const { JWT_JWKS_URL: jwksUrl, JWT_SECRET_FILE: secretFile, JWT_ISSUER, JWT_AUDIENCE } = variables;
  // One that is no address is told with the other variables.
  if (jwksUrl && !URL.canParse(jwksUrl)) return undefined;
  if (!jwksUrl && !secretFile) return undefined;
  if (jwksUrl && secretFile) {
    throw new EnvironmentError(["JWT_SECRET_FILE: cannot be set beside JWT_JWKS_URL; choose one"]);
  }
  const checks = {
    requiredClaims: ["exp"],
    clockTolerance: 5,
    ...(JWT_ISSUER ? { issuer: JWT_ISSUER } : {}),
    ...(JWT_AUDIENCE ? { audience: JWT_AUDIENCE } : {}),
  };
  const verify = jwksUrl ? withJwks(jwksUrl, checks) : withSecret(await readSecret(secretFile ?? ""), checks);
  return async (token) => principalOf(await checked(() => verify(token)), variables);
}

type Verify = (token: string) => Promise<{ payload: JWTPayload }>;

function withJwks(url: string, checks: JWTVerifyOptions): Verify {
  const keys = createRemoteJWKSet(new URL(url), { timeoutDuration: 3000 });
  return (token) => jwtVerify(token, keys, { ...checks, algorithms: publicKeyAlgorithms });
}

function withSecret(secret: Uint8Array, checks: JWTVerifyOptions): Verify {
  return (token) => jwtVerify(token, secret, { ...checks, algorithms: secretAlgorithms });
}

async function readSecret(path: string): Promise<Uint8Array> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new EnvironmentError([`JWT_SECRET_FILE: the file cannot be read (${error.code ?? "unknown"})`]);
  });
  const secret = Buffer.from(text.trim());
  if (secret.length >= minSecretBytes) return secret;
  throw new EnvironmentError([`JWT_SECRET_FILE: the secret must have at least ${minSecretBytes} bytes`]);
}

/** Keys that cannot be fetched are our trouble, not the caller's. */
async function checked(verify: () => Promise<{ payload: JWTPayload }>): Promise<JWTPayload> {
  try {
    return (await verify()).payload;
  } catch (error) {
    const isTokens =
      error instanceof errors.JWTClaimValidationFailed ||
      error instanceof errors.JWTExpired ||
      error instanceof errors.JWTInvalid ||
      error instanceof errors.JWSInvalid ||
      error instanceof errors.JWSSignatureVerificationFailed ||
      error instanceof errors.JOSEAlgNotAllowed ||
      error instanceof errors.JOSENotSupported ||
      error instanceof errors.JWKSNoMatchingKey ||
      error instanceof errors.JWKSMultipleMatchingKeys;
    if (isTokens) throw new HttpProblem(401, refusal);
    throw unavailable("The keys that tokens are checked with cannot be fetched; try again.");
  }
}

function principalOf(payload: JWTPayload, { JWT_TENANT_CLAIM, JWT_ROLE_CLAIM }: JwtVariables): Principal {
  const tenant = tenantSlugSchema.safeParse(payload[JWT_TENANT_CLAIM]);
  if (!tenant.success) throw new HttpProblem(401, "Given token not valid: it names no tenant.");
  const role = z.enum(roles).safeParse(payload[JWT_ROLE_CLAIM]);
  if (!role.success) throw new HttpProblem(403, "This token's role may do nothing here.");
  return { tenant: tenant.data, role: role.data, id: `jwt:${tenant.data}:${payload.sub ?? ""}` };
}
