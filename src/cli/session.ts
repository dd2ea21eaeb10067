import { connectTemporal, createConnectors, type Connectors } from "../client.ts";
import { readSealingKeys } from "../client/sealing-keys.ts";
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
