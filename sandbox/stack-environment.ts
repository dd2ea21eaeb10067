import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JSONWebKeySet } from "jose";
import { createSealingKeys } from "../src/braze/sealed-key.ts";
import type { TemporalServer } from "./temporal/server.ts";

/** The tenant of the demo, `dev` and tests, and its key at the SegOps stand-in. */
export const tenant = "acme";
export const segopsKey = "sk_sandbox_0123456789";
/** Its key at the gateway, and the secret that SegOps signs its webhooks with. */
export const gatewayKey = "sk_gateway_0123456789";
export const webhookSecret = "whsec_sandbox_0123456789";

/** CONTRACT's variables for a worker, a client or the command line. */
export interface StackEnvironment extends Record<string, string> {
  STORAGE_URL: string;
  SCRATCH_DIR: string;
  SEALING_KEYS_FILE: string;
}

interface EnvironmentInput {
  dir: string;
  temporal: TemporalServer;
  brazeUrl: string;
  segopsApiUrl: string;
  more?: Record<string, string>;
}

/** What CONTRACT's environment needs to be, with the key files that it names. A folder's sealing keys are made once. */
export async function stackEnvironment(
  input: EnvironmentInput,
): Promise<{ env: StackEnvironment; publicKeys: JSONWebKeySet }> {
  const { dir, temporal, brazeUrl, segopsApiUrl, more = {} } = input;
  const files = {
    SEALING_KEYS_FILE: join(dir, "sealing-keys.json"),
    SEALING_PUBLIC_KEYS_FILE: join(dir, "sealing-public-keys.json"),
    SEGOPS_API_KEYS_FILE: join(dir, "segops-keys.json"),
    GATEWAY_API_KEYS_FILE: join(dir, "gateway-keys.json"),
    SEGOPS_WEBHOOK_SECRETS_FILE: join(dir, "webhook-secrets.json"),
  };
  const publicKeys = await sealingKeys(files.SEALING_KEYS_FILE, files.SEALING_PUBLIC_KEYS_FILE);
  const secrets: [string, unknown][] = [
    [files.SEGOPS_API_KEYS_FILE, segopsKey],
    [files.GATEWAY_API_KEYS_FILE, [gatewayKey]],
    [files.SEGOPS_WEBHOOK_SECRETS_FILE, webhookSecret],
  ];
  for (const [file, secret] of secrets) {
    await writeFile(file, JSON.stringify({ [tenant]: secret }), { mode: 0o600 });
  }
  const env = {
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    STORAGE_URL: `file:${join(dir, "storage")}`,
    SCRATCH_DIR: join(dir, "scratch"),
    SEGOPS_API_URL: segopsApiUrl,
    ALLOWED_BRAZE_ORIGINS: brazeUrl,
    // The stand-in applies what it accepts at once and in order, unless it is told not to: nobody need wait minutes.
    QUIET_WINDOW_SECONDS: "0",
    ...files,
    ...more,
  };
  return { env, publicKeys };
}

/** New ones would lock up every Braze key that a kept folder holds. The private set is written last: where it is, both are. */
async function sealingKeys(privateFile: string, publicFile: string): Promise<JSONWebKeySet> {
  if (existsSync(privateFile)) return JSON.parse(await readFile(publicFile, "utf8")) as JSONWebKeySet;
  const { privateKeys, publicKeys } = await createSealingKeys();
  await writeFile(publicFile, JSON.stringify(publicKeys));
  await writeFile(privateFile, JSON.stringify(privateKeys), { mode: 0o600 });
  return publicKeys;
}
