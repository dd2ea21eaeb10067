import { readFile } from "node:fs/promises";
import type { JSONWebKeySet } from "jose";
import { connectTemporal, createConnectors, type Connectors } from "../client.ts";
import { EnvironmentError, type Environment } from "../contracts/environment.ts";

/** Works with the connectors over a connection of its own, closed in the end. */
export async function withConnectors<Result>(
  environment: Environment,
  work: (connectors: Connectors) => Promise<Result>,
): Promise<Result> {
  const sealingKeys = await readSealingKeys(environment.SEALING_PUBLIC_KEYS_FILE);
  const client = await connectTemporal();
  try {
    const allowedOrigins = environment.ALLOWED_BRAZE_ORIGINS;
    return await work(createConnectors({ client, sealingKeys, allowedOrigins }));
  } finally {
    await client.connection.close();
  }
}

/** Said before the connection is made: who gives a key needs it sealed. */
export function requireSealingKeys(environment: Environment): void {
  if (environment.SEALING_PUBLIC_KEYS_FILE) return;
  throw new EnvironmentError([
    "SEALING_PUBLIC_KEYS_FILE: is needed to seal the Braze key; name the sealing-public-keys.json that `segops-braze keys create` made",
  ]);
}

async function readSealingKeys(path: string | undefined): Promise<JSONWebKeySet | undefined> {
  if (!path) return undefined;
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new EnvironmentError([`SEALING_PUBLIC_KEYS_FILE: ${path} cannot be read (${error.code})`]);
  });
  const keys = parseKeySet(text);
  if (!keys)
    throw new EnvironmentError([`SEALING_PUBLIC_KEYS_FILE: ${path} is not a JWK set of public keys`]);
  return keys;
}

/** A set with private parts is refused too: it belongs to the workers alone. */
function parseKeySet(text: string): JSONWebKeySet | undefined {
  try {
    const { keys } = JSON.parse(text) as Partial<JSONWebKeySet>;
    const isPublic = Array.isArray(keys) && keys.length > 0 && keys.every((key) => key.kty && !("d" in key));
    return isPublic ? { keys } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
