import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { WorkspaceSettings } from "./workspace-settings.ts";

const MAX_STRING = 255;
const MAX_OBJECT_ARRAY_BYTES = 100 * 1024;
const dateLike = /^(?:\d{1,2}[-/]\d{1,2}[-/]\d{4}|\d{4}-\d{2}-\d{2}(?:[T ].*)?)$/;

export type ForcedType = WorkspaceSettings["forcedTypes"][string];

/** What a custom attribute's new value depends on besides the value sent. */
export interface ValueContext {
  current: JsonValue | undefined;
  arrayLimit: number;
  forcedType: ForcedType | undefined;
  /** `_merge_objects: true` in the same object. */
  mergeObjects: boolean;
}

/** The value a write leaves behind; undefined is one of Braze's silent drops: accepted, counted, not stored. */
export function storedValue(sent: JsonValue, context: ValueContext): JsonValue | undefined {
  const value = context.forcedType === undefined ? sent : forced(sent, context.forcedType);
  if (value === undefined || value === null || typeof value === "boolean" || typeof value === "number") {
    return value;
  }
  if (typeof value === "string") {
    if (value.length > MAX_STRING) return undefined;
    return context.forcedType === "string" ? value : withTime(value);
  }
  if (Array.isArray(value)) return storedArray(value, context.arrayLimit);
  return storedObject(value, context);
}

/** What a write costs on a data-point contract; an unchanged value costs as much as a new one. */
export function dataPoints(value: JsonValue): number {
  if (!isJsonObject(value)) return 1;
  const listed = value["add"] ?? value["remove"];
  return Array.isArray(listed) ? listed.length : Math.max(1, Object.keys(value).length);
}

function forced(value: JsonValue, type: ForcedType): JsonValue | undefined {
  if (value === null || typeof value === type) return value;
  if (type !== "boolean") return undefined;
  const word = JSON.stringify(value).replaceAll('"', "").toLowerCase();
  if (["1", "true", "t"].includes(word)) return true;
  return ["0", "false", "f"].includes(word) ? false : undefined;
}

/** Braze takes strings that look like dates for times; without a zone they are midnight UTC. */
function withTime(text: string): string {
  if (!dateLike.test(text)) return text;
  const parts = /^(\d{1,2})[-/](\d{1,2})[-/](\d{4})$/.exec(text);
  const time = parts ? Date.UTC(Number(parts[3]), Number(parts[1]) - 1, Number(parts[2])) : Date.parse(text);
  const year = new Date(time).getUTCFullYear();
  return year >= 0 && year <= 3000 ? new Date(time).toISOString() : text;
}

function storedArray(values: JsonValue[], limit: number): JsonValue[] | undefined {
  if (values.some((value) => isJsonObject(value))) {
    return Buffer.byteLength(JSON.stringify(values)) > MAX_OBJECT_ARRAY_BYTES ? undefined : values;
  }
  // Arrays are sets; a value that comes again moves to the end, and the oldest fall off.
  const newestFirst = [...new Set(values.toReversed())];
  return newestFirst.slice(0, limit).toReversed();
}

function storedObject(value: JsonObject, context: ValueContext): JsonValue | undefined {
  const { inc, add, remove } = value;
  if (typeof inc === "number") return (typeof context.current === "number" ? context.current : 0) + inc;
  const current = Array.isArray(context.current) ? context.current : [];
  if (Array.isArray(add)) return storedArray([...current, ...add], context.arrayLimit);
  if (Array.isArray(remove)) return current.filter((item) => !remove.includes(item));
  if (holdsNull(value)) return undefined;
  return context.mergeObjects && isJsonObject(context.current) ? { ...context.current, ...value } : value;
}

function holdsNull(value: JsonValue): boolean {
  if (value === null) return true;
  if (Array.isArray(value)) return value.some(holdsNull);
  return isJsonObject(value) && Object.values(value).some(holdsNull);
}
