import type { JsonValue } from "./json.ts";

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** True for `subscribed`, false for `unsubscribed`, undefined for anything else. */
export function subscribedBy(state: JsonValue | undefined): boolean | undefined {
  if (state === "subscribed") return true;
  return state === "unsubscribed" ? false : undefined;
}

/** The state as the write record and the control API name it. */
export function stateName(subscribed: boolean): "subscribed" | "unsubscribed" {
  return subscribed ? "subscribed" : "unsubscribed";
}

/** Whether a subscription group exists: one of the listed ids, or any UUID where none are listed. */
export function isGroupId(id: string, known: ReadonlySet<string> | null): boolean {
  return known === null ? uuid.test(id) : known.has(id);
}
