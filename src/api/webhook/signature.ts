import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** For a tenant without a secret, so that it takes as long to refuse as a wrong signature does. */
const nobodysSecret = randomBytes(32).toString("hex");

/**
 * Whether the signature is the HMAC-SHA256 of these very bytes under one of the secrets, in hex, with or without `sha256=`. Takes the
 * same time whether or not it is, and whether or not there is a secret at all.
 */
export function isSigned(
  body: Uint8Array,
  signature: string | undefined,
  secrets: readonly string[] = [],
): boolean {
  const given = Buffer.from(/^(?:sha256=)?([0-9a-f]{64})$/i.exec(signature ?? "")?.[1] ?? "", "hex");
  const comparable = given.length === 32 ? given : Buffer.alloc(32);
  let matches = 0;
  for (const secret of secrets.length > 0 ? secrets : [nobodysSecret]) {
    const expected = createHmac("sha256", secret).update(body).digest();
    if (timingSafeEqual(expected, comparable)) matches++;
  }
  return matches > 0 && secrets.length > 0 && given.length === 32;
}
