import { afterAll, beforeAll } from "vitest";
import { BrazeControl } from "../../../../sandbox/braze/control.ts";
import { startBraze } from "../../../../sandbox/braze/server.ts";
import type { BrazeServer } from "../../../../sandbox/braze/server.ts";
import type { WorkspacePatch } from "../../../../sandbox/braze/workspace-settings.ts";

export const GROUP = "3f0c4f6e-0000-4000-8000-000000000001";
export const OTHER_GROUP = "3f0c4f6e-0000-4000-8000-000000000002";

interface Reply {
  status: number;
  text: string;
  /** The body parsed, when it is JSON. */
  json: { [name: string]: unknown };
  headers: Headers;
}

/** A stand-in for the tests of one file; each test takes its own workspace, so that none sees another's people. */
export class Harness {
  #server: BrazeServer | undefined;
  #keys = 0;

  constructor() {
    beforeAll(async () => {
      this.#server = await startBraze();
    });
    afterAll(async () => {
      await this.#server?.close();
    });
  }

  get url(): string {
    return this.#server?.url ?? "";
  }

  get control(): BrazeControl {
    return new BrazeControl(this.url);
  }

  /** A new workspace, applying at once unless told otherwise; answers its key. */
  async workspace(settings: Omit<WorkspacePatch, "key"> = {}): Promise<string> {
    const key = `key-${++this.#keys}`;
    await this.control.putWorkspace({ applyDelayMs: 0, ...settings, key });
    return key;
  }

  async post(key: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const content = typeof body === "string" ? body : JSON.stringify(body);
    const sent = { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers };
    return this.#read(await fetch(`${this.url}${path}`, { method: "POST", headers: sent, body: content }));
  }

  async get(key: string, path: string): Promise<Reply> {
    return this.#read(await fetch(`${this.url}${path}`, { headers: { authorization: `Bearer ${key}` } }));
  }

  async track(key: string, attributes: unknown[]): Promise<Reply> {
    return this.post(key, "/users/track", { attributes });
  }

  /** The custom attributes of a user as /users/export/ids shows them; undefined for an unknown user. */
  async attributesOf(key: string, id: string): Promise<unknown> {
    const [user] = await this.usersOf(key, [id], ["external_id", "custom_attributes"]);
    return user && (user["custom_attributes"] ?? {});
  }

  async usersOf(key: string, ids: string[], fields: string[]): Promise<Record<string, unknown>[]> {
    const reply = await this.post(key, "/users/export/ids", { external_ids: ids, fields_to_export: fields });
    return reply.json["users"] as Record<string, unknown>[];
  }

  async #read(response: Response): Promise<Reply> {
    const text = await response.text();
    const isJson = response.headers.get("content-type") === "application/json" && text !== "";
    const json = isJson ? (safeParse(text) ?? {}) : {};
    return { status: response.status, text, json, headers: response.headers };
  }
}

function safeParse(text: string): Reply["json"] | undefined {
  try {
    return JSON.parse(text) as Reply["json"];
  } catch {
    return undefined;
  }
}

/** All items of a stream. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
