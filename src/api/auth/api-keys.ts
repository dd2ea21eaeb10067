import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { tenantSlugSchema } from "../../contracts/connector-id.ts";
import { roles } from "../../contracts/role.ts";
import { parseAs } from "./watched-file.ts";
import type { Principal } from "./principal.ts";

const hashSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** An object where a role or an id matters; `api-key create` writes these. */
export const keyEntrySchema = z.strictObject({
  hash: hashSchema,
  role: z.enum(roles).default("member"),
  id: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
  created_at: z.string().optional(),
});

export const keysFileSchema = z.record(
  tenantSlugSchema,
  z.array(z.union([z.string().regex(/^sk_[\x21-\x7e]{8,500}$/), hashSchema, keyEntrySchema])),
);
export type KeysFile = z.infer<typeof keysFileSchema>;

export const keysFileShape =
  '{"<tenant_slug>": ["sk_…" or "sha256:<64 hex digits of the key\'s SHA-256>" or {"hash": "sha256:…", "role": "viewer|member|admin|owner", "id": "…"}]}';

interface KnownKey extends Principal {
  digest: Buffer;
}

/** The keys that are accepted, each bound to one tenant. */
export class ApiKeys {
  readonly #keys: KnownKey[];

  constructor(file: KeysFile) {
    this.#keys = Object.entries(file).flatMap(([tenant, entries]) =>
      entries.map((entry) => {
        const { hash, role } = entryOf(entry);
        return { tenant, role, id: idOf(entry), digest: Buffer.from(hash.slice(7), "hex") };
      }),
    );
  }

  static parse(json: unknown): ApiKeys {
    return new ApiKeys(parseAs(keysFileSchema, json, keysFileShape));
  }

  /** Looks at every key, so that the time it takes tells nothing. */
  holder(key: string): Principal | undefined {
    const digest = sha256(key);
    let found: KnownKey | undefined;
    for (const known of this.#keys) {
      if (timingSafeEqual(known.digest, digest)) found ??= known;
    }
    return found && { tenant: found.tenant, role: found.role, id: found.id };
  }
}

export function hashOfKey(key: string): string {
  return `sha256:${sha256(key).toString("hex")}`;
}

/** A key in clear, or a bare hash, is one with SegOps' full power. */
export function entryOf(entry: KeysFile[string][number]): z.infer<typeof keyEntrySchema> {
  if (typeof entry !== "string") return entry;
  return { hash: entry.startsWith("sha256:") ? entry : hashOfKey(entry), role: "admin" };
}

/** One that has no id of its own is called by the first digits of its hash. */
export function idOf(entry: KeysFile[string][number]): string {
  const { id, hash } = entryOf(entry);
  return id ?? hash.slice(7, 19);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
