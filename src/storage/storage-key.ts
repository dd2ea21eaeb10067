import { CodedError } from "../contracts/errors.ts";

/** No empty segment, none that starts with a dot: a key can neither leave the storage nor meet a driver's own files. */
const keyPattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/** Answers the key as it is, or throws `unexpected`: a bad key is a fault of the program or a forged log entry. */
export function safeKey(key: string): string {
  if (!keyPattern.test(key) || key.length > 900) {
    throw new CodedError("unexpected", "a storage key that is no plain relative path was refused");
  }
  return key;
}

/** A prefix is a key cut anywhere, so also one that ends in a slash, or nothing at all. */
export function safePrefix(prefix: string): string {
  if (prefix !== "") safeKey(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
  return prefix;
}
