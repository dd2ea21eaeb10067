import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { JSONWebKeySet } from "jose";
import type { Logger } from "pino";
import { readSealingKeys } from "../client/sealing-keys.ts";
import { connectTemporalLazily } from "../client/connect-temporal.ts";
import { createConnectors } from "../client.ts";
import type { ConnectorKey } from "../contracts/connector-id.ts";
import type { ExplainOptions, Explanation } from "../contracts/explain.ts";
import type { RejectedReasons } from "../contracts/rejected.ts";
import type { OpenedLedger } from "../ledger/open-ledger.ts";
import type { Storage } from "../storage/storage.ts";
import { EnvironmentError, type Environment } from "../contracts/environment.ts";
import { packageVersion } from "../package-version.ts";
import { openStorage } from "../storage/open-storage.ts";
import { ApiKeys } from "./auth/api-keys.ts";
import type { Doorkeeper } from "./auth/authenticate.ts";
import { createVerifyToken } from "./auth/jwt.ts";
import { WatchedFile } from "./auth/watched-file.ts";
import { buildServer } from "./build-server.ts";
import { createApiLogger } from "./logger.ts";
import { noSecrets, parseSecrets, type WebhookSecrets } from "./webhook/secrets.ts";

/**
 * Runs one gateway process until it is told to stop (SIGINT, SIGTERM): it then takes no new requests, answers those it has, sends the
 * recomputes that it has promised to hand on, and returns.
 * It starts whether or not Temporal can be reached; `/readyz` tells. Throws an `EnvironmentError` with every problem of the variables
 * and the files they name at once.
 */
export async function runApi(environment: Environment): Promise<void> {
  const log = createApiLogger(environment.LOG_LEVEL);
  const { sealingKeys, doorkeeper, webhookSecrets } = await readGatewaySecrets(environment, log);
  const stopped = untilTold();
  const client = connectTemporalLazily();
  const allowedOrigins = environment.ALLOWED_BRAZE_ORIGINS;
  const storage = await openStorage(environment.STORAGE_URL);
  const ledger = lazyLedger(environment, storage);
  const server = await buildServer({
    client,
    connectors: createConnectors({ client, sealingKeys, allowedOrigins }),
    storage,
    explain: ledger.explain,
    rejectedReasons: ledger.rejectedReasons,
    doorkeeper,
    webhookSecrets,
    allowedOrigins,
    ratePerMinute: environment.RATE_LIMIT_PER_MINUTE,
    trustedProxies: environment.TRUST_PROXY,
    temporalUiUrl: environment.TEMPORAL_UI_URL,
    webFolder: webFolder(),
    version: packageVersion(),
    log,
  });
  try {
    const { HTTP_HOST: host, HTTP_PORT: port } = environment;
    const url = await server.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
      throw new EnvironmentError([`HTTP_PORT: nothing can listen at ${host}:${port} (${error.code})`]);
    });
    log.info({ ready: true, url, pid: process.pid }, "gateway ready");
    await stopped;
  } finally {
    await server.close();
    await ledger.close();
    await client.connection.close();
  }
  log.info("gateway stopped");
}

/** DuckDB is loaded with the first question: many a gateway is never asked one. */
function lazyLedger(environment: Environment, storage: Storage) {
  let opened: Promise<OpenedLedger> | undefined;
  const open = async () => (await import("../ledger/open-ledger.ts")).openLedger(environment, storage);
  const ledger = async () => (await (opened ??= open())).ledger;
  return {
    explain: async (key: ConnectorKey, userId: string, options: ExplainOptions): Promise<Explanation> =>
      await (await ledger()).explain(key, userId, options),
    rejectedReasons: async (key: ConnectorKey): Promise<RejectedReasons> =>
      await (await ledger()).rejectedReasons(key),
    close: async (): Promise<void> => {
      if (opened) await (await opened).ledger.close();
    },
  };
}

interface GatewaySecrets {
  sealingKeys: JSONWebKeySet;
  doorkeeper: Doorkeeper;
  webhookSecrets: WebhookSecrets;
}

/** Asked before the process starts, so that what is wrong with files is told together with what is wrong with variables. */
export async function checkGatewaySecrets(variables: Record<string, string | undefined>): Promise<void> {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const quiet = { error() {}, info() {} };
  await readGatewaySecrets({ ...given, JWT_TENANT_CLAIM: "", JWT_ROLE_CLAIM: "" }, quiet);
}

async function readGatewaySecrets(
  environment: GatewayVariables,
  log: Pick<Logger, "error" | "info">,
): Promise<GatewaySecrets> {
  const [sealing, keys, token, secrets] = await Promise.allSettled([
    requireSealingKeys(environment.SEALING_PUBLIC_KEYS_FILE),
    openApiKeys(environment, log),
    createVerifyToken(environment),
    openWebhookSecrets(environment.SEGOPS_WEBHOOK_SECRETS_FILE, log),
  ]);
  if (
    sealing.status === "fulfilled" &&
    keys.status === "fulfilled" &&
    token.status === "fulfilled" &&
    secrets.status === "fulfilled"
  ) {
    const doorkeeper = { apiKeys: keys.value, verifyToken: token.value };
    return { sealingKeys: sealing.value, doorkeeper, webhookSecrets: secrets.value };
  }
  const failed = [sealing, keys, token, secrets].filter((result) => result.status === "rejected");
  throw new EnvironmentError(failed.flatMap(({ reason }) => problemsOf(reason)));
}

type GatewayVariables = Pick<
  Environment,
  | "SEALING_PUBLIC_KEYS_FILE"
  | "GATEWAY_API_KEYS_FILE"
  | "SEGOPS_WEBHOOK_SECRETS_FILE"
  | "JWT_JWKS_URL"
  | "JWT_SECRET_FILE"
  | "JWT_ISSUER"
  | "JWT_AUDIENCE"
  | "JWT_TENANT_CLAIM"
  | "JWT_ROLE_CLAIM"
>;

async function requireSealingKeys(path: string | undefined): Promise<JSONWebKeySet> {
  const keys = await readSealingKeys(path);
  if (keys) return keys;
  throw new EnvironmentError([
    "SEALING_PUBLIC_KEYS_FILE: is needed to seal Braze keys; name the sealing-public-keys.json that `segops-braze keys create` made",
  ]);
}

async function openApiKeys(
  environment: GatewayVariables,
  log: Pick<Logger, "error" | "info">,
): Promise<WatchedFile<ApiKeys> | undefined> {
  const path = environment.GATEWAY_API_KEYS_FILE;
  if (path) {
    return await WatchedFile.open({
      variable: "GATEWAY_API_KEYS_FILE",
      path,
      parse: (json) => ApiKeys.parse(json),
      log,
    });
  }
  if (environment.JWT_JWKS_URL || environment.JWT_SECRET_FILE) return undefined;
  throw new EnvironmentError([
    "GATEWAY_API_KEYS_FILE: is required where no JWT_JWKS_URL or JWT_SECRET_FILE is set; `segops-braze api-key create --tenant TENANT --file FILE` makes it",
  ]);
}

async function openWebhookSecrets(
  path: string | undefined,
  log: Pick<Logger, "error" | "info">,
): Promise<WebhookSecrets> {
  if (!path) return noSecrets;
  return await WatchedFile.open({ variable: "SEGOPS_WEBHOOK_SECRETS_FILE", path, parse: parseSecrets, log });
}

function problemsOf(error: unknown): string[] {
  if (error instanceof EnvironmentError) return error.problems;
  throw error;
}

/** Listened for from the start, so that it is never too early to stop. */
function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}

/** Where the build puts the page, seen from the built code and from the sources; undefined where nothing was built. */
function webFolder(): string | undefined {
  const built = import.meta.url.endsWith(".ts") ? "../../dist/web" : "../../web";
  const folder = fileURLToPath(new URL(built, import.meta.url));
  return existsSync(`${folder}/index.html`) ? folder : undefined;
}
