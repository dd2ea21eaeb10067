import { readFile } from "node:fs/promises";
import type { JSONWebKeySet } from "jose";
import { EnvironmentError } from "../contracts/environment.ts";

/** The workers' public keys. Throws an `EnvironmentError` for a file that does not hold them; undefined where none is named. */
export async function readSealingKeys(path: string | undefined): Promise<JSONWebKeySet | undefined> {
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
