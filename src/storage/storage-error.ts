import { CodedError } from "../contracts/errors.ts";

/**
 * A file system's error as `storage_unavailable`, naming its code alone: the message of the original, and so its cause, holds
 * paths of this machine.
 */
export function storageError(error: unknown): CodedError {
  return error instanceof CodedError ? error : new CodedError("storage_unavailable", errnoOf(error) ?? "");
}

/** `ENOENT` and its kin; undefined for anything that the file system did not say. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
