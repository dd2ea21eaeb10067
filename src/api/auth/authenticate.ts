import type { FastifyRequest } from "fastify";
import { HttpProblem } from "../problems.ts";
import type { ApiKeys } from "./api-keys.ts";
import type { VerifyToken } from "./jwt.ts";
import { mayWrite, type Principal } from "./principal.ts";
import type { WatchedFile } from "./watched-file.ts";

export interface Doorkeeper {
  apiKeys?: Pick<WatchedFile<ApiKeys>, "current"> | undefined;
  verifyToken?: VerifyToken | undefined;
}

declare module "fastify" {
  interface FastifyRequest {
    principal: Principal | null;
  }
  interface FastifyContextConfig {
    /** Whether the call changes something: a viewer may not make it. */
    writes?: boolean;
  }
}

/** Before anything of the body is read. Throws 401 where nobody, or nobody known, asks; 403 where a viewer wants to write. */
export async function authenticate(request: FastifyRequest, doorkeeper: Doorkeeper): Promise<void> {
  const principal = await whoAsks(request.headers.authorization, doorkeeper);
  request.principal = principal;
  if (request.routeOptions.config.writes && !mayWrite(principal)) {
    throw new HttpProblem(
      403,
      "You do not have permission to perform this action: a viewer reads, a member or above writes.",
    );
  }
}

async function whoAsks(authorization: string | undefined, doorkeeper: Doorkeeper): Promise<Principal> {
  if (!authorization) {
    throw unauthorized(
      "Authentication credentials were not provided: send Authorization: ApiKey sk_… with a key of your tenant.",
    );
  }
  const [scheme, credentials, ...rest] = authorization.split(" ");
  if (!credentials || rest.length > 0) {
    throw unauthorized("Invalid Authorization header: send it as Authorization: ApiKey sk_….");
  }
  switch (scheme?.toLowerCase()) {
    case "apikey":
      return (await doorkeeper.apiKeys?.current())?.holder(credentials) ?? refuse("Invalid API key.");
    case "bearer":
      return doorkeeper.verifyToken ? await asBearer(doorkeeper.verifyToken, credentials) : refuse(noTokens);
    default:
      return refuse("Invalid Authorization header: its scheme must be ApiKey.");
  }
}

const noTokens = "No tokens are accepted here: send Authorization: ApiKey sk_….";

async function asBearer(verifyToken: VerifyToken, token: string): Promise<Principal> {
  try {
    return await verifyToken(token);
  } catch (error) {
    if (error instanceof HttpProblem && error.status === 401) throw unauthorized(error.body);
    throw error;
  }
}

function refuse(detail: string): never {
  throw unauthorized(detail);
}

function unauthorized(body: HttpProblem["body"] | string): HttpProblem {
  return new HttpProblem(401, body, { "www-authenticate": 'ApiKey realm="segops-braze"' });
}

/** Who asks, on a route that authenticates. */
export function principalOf(request: FastifyRequest): Principal {
  if (!request.principal) throw new Error("a route without authentication asked who is there");
  return request.principal;
}
