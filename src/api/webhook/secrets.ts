import { z } from "zod";
import { tenantSlugSchema } from "../../contracts/connector-id.ts";
import { parseAs, type WatchedFile } from "../auth/watched-file.ts";

const secret = z.string().min(1).max(500);

const secretsFileSchema = z.record(tenantSlugSchema, z.union([secret, z.array(secret).min(1).max(10)]));

/** Secrets by tenant; several while one replaces another. */
export type SecretsByTenant = ReadonlyMap<string, readonly string[]>;

export type WebhookSecrets = Pick<WatchedFile<SecretsByTenant>, "current">;

export function parseSecrets(json: unknown): SecretsByTenant {
  const file = parseAs(
    secretsFileSchema,
    json,
    '{"<tenant_slug>": "secret" or ["new secret", "old secret"]}',
  );
  return new Map(
    Object.entries(file).map(([tenant, given]) => [tenant, typeof given === "string" ? [given] : given]),
  );
}

/** Without a file every webhook is refused. */
export const noSecrets: WebhookSecrets = { current: async () => new Map() };
