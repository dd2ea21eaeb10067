import {
  calculateJwkThumbprint,
  CompactEncrypt,
  compactDecrypt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
} from "jose";
import type { CompactDecryptResult, JSONWebKeySet, JWK } from "jose";
import { CodedError } from "../contracts/errors.ts";

const keyAlgorithm = "ECDH-ES+A256KW";
const contentAlgorithm = "A256GCM";

/** What a sealed key is bound to: elsewhere it does not open. */
interface SealedFor {
  /** The connector's workflow id, `braze/<tenant_slug>/<segment_id>`. */
  connector: string;
  /** The Braze host, with its port if it has one. */
  host: string;
}

/** One new pair (P-256), its key id the RFC 7638 thumbprint. The public set seals, the private one opens. */
export async function createSealingKeys(): Promise<{
  privateKeys: JSONWebKeySet;
  publicKeys: JSONWebKeySet;
}> {
  const pair = await generateKeyPair(keyAlgorithm, { crv: "P-256", extractable: true });
  const publicKey = await exportJWK(pair.publicKey);
  const head = { kid: await calculateJwkThumbprint(publicKey), alg: keyAlgorithm, use: "enc" };
  const privateKey = await exportJWK(pair.privateKey);
  return {
    privateKeys: { keys: [{ ...head, ...privateKey }] },
    publicKeys: { keys: [{ ...head, ...publicKey }] },
  };
}

/**
 * Seals a Braze REST key as a compact JWE with the set's first key, bound to its connector and host by the authenticated header. To rotate,
 * put the new public key first and keep the old private key until no configuration needs it. `config_invalid`: nothing to seal, or nothing to seal it with.
 */
export async function sealKey(
  apiKey: string,
  { connector, host }: SealedFor,
  publicKeys: JSONWebKeySet,
): Promise<string> {
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new CodedError("config_invalid", "api_key: must be one word of visible ASCII characters");
  }
  const [key] = publicKeys.keys;
  if (!key) throw new CodedError("config_invalid", "the set of public sealing keys is empty");
  const kid = key.kid ?? (await calculateJwkThumbprint(key));
  return new CompactEncrypt(new TextEncoder().encode(apiKey))
    .setProtectedHeader({ alg: keyAlgorithm, enc: contentAlgorithm, kid, connector, host })
    .encrypt(await importJWK(key, keyAlgorithm));
}

/** Opens a sealed key with the private key that it names, if it was sealed for this connector and host. Else `sealed_key_unreadable`. */
export async function openKey(
  sealedKey: string,
  expected: SealedFor,
  privateKeys: JSONWebKeySet,
): Promise<string> {
  const { plaintext, protectedHeader } = await decrypt(sealedKey, findKey(sealedKey, privateKeys));
  for (const field of ["connector", "host"] as const) {
    if (protectedHeader[field] !== expected[field]) {
      throw new CodedError("sealed_key_unreadable", `it was sealed for another ${field}`);
    }
  }
  return new TextDecoder().decode(plaintext);
}

function findKey(sealedKey: string, privateKeys: JSONWebKeySet): JWK {
  const kid = readKeyId(sealedKey);
  const key = privateKeys.keys.find((candidate) => candidate.kid === kid);
  if (!key) throw new CodedError("sealed_key_unreadable", "it was sealed for a private key that is not here");
  return key;
}

function readKeyId(sealedKey: string): string {
  try {
    const { kid } = decodeProtectedHeader(sealedKey);
    if (typeof kid === "string") return kid;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  throw new CodedError("sealed_key_unreadable", "it is no JWE with a key id");
}

async function decrypt(sealedKey: string, key: JWK): Promise<CompactDecryptResult> {
  try {
    return await compactDecrypt(sealedKey, await importJWK(key, keyAlgorithm), {
      keyManagementAlgorithms: [keyAlgorithm],
      contentEncryptionAlgorithms: [contentAlgorithm],
    });
  } catch {
    // Whatever jose or the platform says: its words could quote what was sealed, and the remedy is the same.
    throw new CodedError("sealed_key_unreadable", "it does not decrypt with the private key that it names");
  }
}
