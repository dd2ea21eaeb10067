import { readFile } from "node:fs/promises";
import type { JSONWebKeySet } from "jose";
import { z } from "zod";
import { EnvironmentError, type Environment } from "../contracts/environment.ts";

type SecretVariables = Partial<
  Pick<Environment, "SEGOPS_API_KEY" | "SEGOPS_API_KEYS_FILE" | "SEALING_KEYS_FILE">
>;

/** What only a worker may know. */
export interface Secrets {
  segopsKeyFor: (tenant: string) => string | undefined;
  sealingKeys: JSONWebKeySet;
}

/** Throws one `EnvironmentError` that tells everything that is missing or wrong at once. */
export async function readSecrets(variables: SecretVariables): Promise<Secrets> {
  const [segops, sealing] = await Promise.allSettled([readSegopsKeys(variables), readSealingKeys(variables)]);
  if (segops.status === "fulfilled" && sealing.status === "fulfilled") {
    return { segopsKeyFor: segops.value, sealingKeys: sealing.value };
  }
  const failed = [segops, sealing].filter((result) => result.status === "rejected");
  throw new EnvironmentError(failed.map(({ reason }) => (reason as Error).message));
}

/** Which SegOps key is whose: one for all tenants, or a file that names them. */
async function readSegopsKeys(variables: SecretVariables): Promise<Secrets["segopsKeyFor"]> {
  const { SEGOPS_API_KEY: single, SEGOPS_API_KEYS_FILE: file } = variables;
  if (!file && !single) {
    throw new Error(
      "SEGOPS_API_KEY: is required, or SEGOPS_API_KEYS_FILE where tenants have keys of their own",
    );
  }
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
async function readSealingKeys({ SEALING_KEYS_FILE: file }: SecretVariables): Promise<JSONWebKeySet> {
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
