import { randomUUID } from "node:crypto";
import { z } from "zod";
import { CodedError } from "../contracts/errors.ts";
import { parseJson } from "./json.ts";
import type { Storage } from "./storage.ts";

/** At the storage's root: which storage this is. A backup that is restored has the same id, another folder has not. */
const instanceKey = "instance.json";

const instanceSchema = z.object({ version: z.literal(1), id: z.uuid(), created_at: z.iso.datetime() });

/** The storage's id; undefined where it has none yet. Throws `log_unreadable` where its file is damaged. */
export async function readStorageId(storage: Storage): Promise<string | undefined> {
  const bytes = await storage.get(instanceKey);
  if (!bytes) return undefined;
  const parsed = instanceSchema.safeParse(parseJson(bytes));
  if (!parsed.success) throw new CodedError("log_unreadable", instanceKey);
  return parsed.data.id;
}

/** Gives a storage its id, once: of two workers that start together one finds the other's. */
export async function createStorageId(storage: Storage): Promise<string> {
  const instance = { version: 1, id: randomUUID(), created_at: new Date().toISOString() };
  await storage.putIfAbsent(instanceKey, `${JSON.stringify(instance)}\n`);
  return (await readStorageId(storage)) ?? instance.id;
}
