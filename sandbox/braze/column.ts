import type { JsonValue } from "./json.ts";

const ABSENT = 0;
const FALSE = 1;
const TRUE = 2;
const OTHER = 3;

/**
 * The values of one attribute (or subscription group) over all users, by user number. Booleans take one byte a user
 * and no allocation, because membership flags of millions of users are what the stand-in mostly holds.
 */
export class Column {
  readonly name: string;
  /** Type of the first value seen, as GET /custom_attributes names it. */
  dataType: string | undefined;
  #codes = new Uint8Array(1024);
  readonly #others = new Map<number, JsonValue>();

  constructor(name: string) {
    this.name = name;
  }

  get(user: number): JsonValue | undefined {
    const code = this.#codes[user];
    if (code === TRUE) return true;
    if (code === FALSE) return false;
    return code === OTHER ? this.#others.get(user) : undefined;
  }

  set(user: number, value: JsonValue): void {
    this.dataType ??= dataTypeOf(value);
    if (typeof value === "boolean") {
      this.#write(user, value ? TRUE : FALSE);
    } else {
      this.#write(user, OTHER);
      this.#others.set(user, value);
    }
  }

  delete(user: number): void {
    if (user < this.#codes.length) this.#write(user, ABSENT);
  }

  /** Users whose value equals `value` (compared as JSON), by rising number. */
  *usersWith(value: JsonValue): Generator<number> {
    const wanted = JSON.stringify(value);
    const code = typeof value === "boolean" ? (value ? TRUE : FALSE) : OTHER;
    for (let user = 0; user < this.#codes.length; user++) {
      if (this.#codes[user] !== code) continue;
      if (code !== OTHER || JSON.stringify(this.#others.get(user)) === wanted) yield user;
    }
  }

  #write(user: number, code: number): void {
    if (user >= this.#codes.length) {
      const grown = new Uint8Array(Math.max(user + 1, this.#codes.length * 2));
      grown.set(this.#codes);
      this.#codes = grown;
    }
    if (this.#codes[user] === OTHER) this.#others.delete(user);
    this.#codes[user] = code;
  }
}

function dataTypeOf(value: JsonValue): string {
  if (typeof value === "boolean") return "Boolean";
  if (typeof value === "number") return "Number";
  if (Array.isArray(value)) return "Array";
  return typeof value === "string" ? "String" : "Object";
}

/** Columns by name, created on first sight as Braze does with custom attributes. */
export class ColumnSet {
  readonly #columns = new Map<string, Column>();

  find(name: string): Column | undefined {
    return this.#columns.get(name);
  }

  open(name: string): Column {
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = new Column(name);
      this.#columns.set(name, column);
    }
    return column;
  }

  all(): Column[] {
    return [...this.#columns.values()];
  }

  /** One user's values by column name; absent ones are left out. */
  valuesOf(user: number): Record<string, JsonValue> {
    const entries: [string, JsonValue][] = [];
    for (const column of this.#columns.values()) {
      const value = column.get(user);
      if (value !== undefined) entries.push([column.name, value]);
    }
    return Object.fromEntries(entries);
  }
}
