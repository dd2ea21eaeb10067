import { AddressBook } from "./address-book.ts";
import { ColumnSet } from "./column.ts";
import { IdIndex } from "./id-index.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/**
 * The profiles of one workspace. A profile is a number; what it holds lies in columns. Custom attributes, profile
 * fields and subscription groups (true = subscribed) have a column set each.
 */
export class UserTable {
  readonly custom = new ColumnSet();
  readonly profile = new ColumnSet();
  readonly groups = new ColumnSet();
  readonly emails = new AddressBook();
  readonly phones = new AddressBook();
  readonly #ids = new IdIndex();
  readonly #byAlias = new Map<string, number>();
  readonly #aliases = new Map<number, JsonObject>();
  #touched = new Float64Array(1024);
  #touches = 0;

  get count(): number {
    return this.#ids.count;
  }

  externalId(user: number): string | null {
    return this.#ids.idOf(user);
  }

  find(externalId: string): number | undefined {
    return this.#ids.find(externalId);
  }

  findAlias(alias: JsonObject): number | undefined {
    return this.#byAlias.get(aliasKey(alias));
  }

  aliasOf(user: number): JsonObject | undefined {
    return this.#aliases.get(user);
  }

  create(externalId: string | null): number {
    return this.#ids.add(externalId);
  }

  createAlias(alias: JsonObject): number {
    const user = this.create(null);
    this.#byAlias.set(aliasKey(alias), user);
    this.#aliases.set(user, alias);
    return user;
  }

  /** Braze's own id of a profile. Derived from its number, so that a million of them need no store. */
  brazeId(user: number): string {
    return user.toString(16).padStart(24, "0");
  }

  findBrazeId(brazeId: string): number | undefined {
    const user = /^[0-9a-f]{24}$/.test(brazeId) ? Number.parseInt(brazeId, 16) : -1;
    return user >= 0 && user < this.count ? user : undefined;
  }

  /** Remembers that a profile was the latest to be updated: look-ups by address prefer it. */
  touch(user: number): void {
    if (user >= this.#touched.length) {
      const grown = new Float64Array(Math.max(user + 1, this.#touched.length * 2));
      grown.set(this.#touched);
      this.#touched = grown;
    }
    this.#touched[user] = ++this.#touches;
  }

  /** Braze's choice among profiles that share an address: latest updated with an external id, else latest updated. */
  preferred(candidates: readonly number[]): number | undefined {
    const named = candidates.filter((user) => this.externalId(user) !== null);
    const pool = named.length > 0 ? named : candidates;
    return pool.toSorted((a, b) => (this.#touched[b] ?? 0) - (this.#touched[a] ?? 0))[0];
  }

  /** Writes a profile field; null removes it. An address brings the subscription states stored for it. */
  setProfileField(user: number, name: string, value: JsonValue, now: number): void {
    const column = this.profile.open(name);
    const book = name === "email" ? this.emails : name === "phone" ? this.phones : undefined;
    if (book !== undefined) {
      book.move(user, textOf(column.get(user)), textOf(value));
      for (const [group, state] of book.claimOrphans(textOf(value) ?? "", now)) {
        this.groups.open(group).set(user, state);
      }
    }
    if (value === null) column.delete(user);
    else column.set(user, value);
  }

  /** Sets a group's state for a user and for every profile that shares the user's e-mail address. */
  setGroup(user: number, group: string, subscribed: boolean): void {
    const column = this.groups.open(group);
    column.set(user, subscribed);
    const email = textOf(this.profile.find("email")?.get(user));
    if (email === undefined) return;
    for (const holder of this.emails.holders(email)) column.set(holder, subscribed);
  }
}

function aliasKey(alias: JsonObject): string {
  return JSON.stringify([alias["alias_label"], alias["alias_name"]]);
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** True for `{alias_name, alias_label}`, both strings. */
export function isAlias(value: JsonValue | undefined): value is JsonObject {
  return (
    isJsonObject(value) && typeof value["alias_name"] === "string" && typeof value["alias_label"] === "string"
  );
}
