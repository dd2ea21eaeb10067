import { readFile } from "node:fs/promises";
import type { JSONWebKeySet } from "jose";
import { z } from "zod";
import type { Environment } from "../contracts/environment.ts";

/** Which SegOps key is whose: one for all tenants, or a file that names them. */
export async function readSegopsKeys(
  environment: Environment,
): Promise<(tenant: string) => string | undefined> {
  const { SEGOPS_API_KEY: single, SEGOPS_API_KEYS_FILE: file } = environment;
  if (!file) return () => single;
  const keys = await readJson(
    "SEGOPS_API_KEYS_FILE",
    file,
    z.record(z.string(), z.string().min(1)),
    '{"<tenant_slug>": "sk_…"}',
  );
  return (tenant) => (Object.hasOwn(keys, tenant) ? keys[tenant] : single);
}

const jwkSet = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })).min(1) });

/** The private keys that open stored Braze keys. */
export async function readSealingKeys(environment: Environment): Promise<JSONWebKeySet> {
  const file = environment.SEALING_KEYS_FILE;
  if (!file) throw new Error("SEALING_KEYS_FILE: is required; `segops-braze keys create --dir DIR` makes it");
  return await readJson(
    "SEALING_KEYS_FILE",
    file,
    jwkSet,
    "a private JWK set, as `segops-braze keys create` writes it",
  );
}

/** Problems name the variable, never what the file holds. */
async function readJson<T>(variable: string, file: string, schema: z.ZodType<T>, shape: string): Promise<T> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${variable}: the file cannot be read (${error.code ?? "unknown"})`);
  });
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) throw new Error(`${variable}: the file must hold ${shape}`);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
