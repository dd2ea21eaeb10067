import type { FastifyRequest } from "fastify";
import type { ConnectorKey } from "../contracts/connector-id.ts";
import { principalOf } from "./auth/authenticate.ts";
import type { Gateway } from "./gateway.ts";

/** The connector that the address names, within the caller's tenant. */
export function askedConnector(request: FastifyRequest<{ Params: { id: number } }>): ConnectorKey {
  return { tenant_slug: principalOf(request).tenant, segment_id: request.params.id };
}

/** The same where there is one. Throws 404 where there is none. */
export async function existingConnector(
  { reads }: Pick<Gateway, "reads">,
  request: FastifyRequest<{ Params: { id: number } }>,
): Promise<ConnectorKey> {
  const key = askedConnector(request);
  await reads.logged(key);
  return key;
}
