import { resolve } from "node:path";
import { EnvironmentError } from "../contracts/environment.ts";
import { openLocalFolder } from "./local-folder.ts";
import type { Storage } from "./storage.ts";

/** Opens what `STORAGE_URL` names: `file:<folder>`, made if it is not there, relative to the working directory. */
export async function openStorage(storageUrl: string): Promise<Storage> {
  if (!storageUrl.startsWith("file:") || storageUrl === "file:") {
    throw new EnvironmentError(["STORAGE_URL: must be file:<folder>; this release stores in folders only"]);
  }
  return openLocalFolder(resolve(storageUrl.slice("file:".length)));
}
