import type { Client } from "@temporalio/client";
import type { Logger } from "pino";
import type { ConnectorKey, Connectors } from "../client.ts";
import type { ExplainOptions, Explanation } from "../contracts/explain.ts";
import type { RejectedReasons } from "../contracts/rejected.ts";
import type { Storage } from "../storage/storage.ts";
import type { Doorkeeper } from "./auth/authenticate.ts";
import type { WebhookSecrets } from "./webhook/secrets.ts";

/** What the gateway is made of; tests put their own in. */
export interface GatewayDeps {
  client: Client;
  connectors: Connectors;
  storage: Storage;
  doorkeeper: Doorkeeper;
  webhookSecrets: WebhookSecrets;
  /** Braze hosts beside Braze's own. */
  allowedOrigins: readonly string[];
  ratePerMinute: number;
  /** Proxies that may say by which scheme and host a caller addressed us; as Fastify's `trustProxy` takes them. Default: none. */
  trustedProxies?: readonly string[] | undefined;
  temporalUiUrl?: string | undefined;
  /** One user's timeline in one connector. */
  explain: (key: ConnectorKey, userId: string, options: ExplainOptions) => Promise<Explanation>;
  rejectedReasons: (key: ConnectorKey) => Promise<RejectedReasons>;
  /** Folder of the page's built files; undefined where there is none. */
  webFolder?: string | undefined;
  /** At most one webhook signal per connector within this time, and one trailing. Default: 10 s. */
  coalesceMs?: number | undefined;
  version: string;
  log: Logger;
}
