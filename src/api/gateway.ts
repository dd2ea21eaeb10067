import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ConnectorReads } from "./connector-reads.ts";
import type { ConnectorWrites } from "./connector-writes.ts";
import type { GatewayDeps } from "./deps.ts";
import type { Metrics } from "./metrics.ts";

/** A server whose routes are typed by their schemas. */
export type Server = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What routes work with. */
export interface Gateway extends GatewayDeps {
  reads: ConnectorReads;
  writes: ConnectorWrites;
  metrics: Metrics;
}
