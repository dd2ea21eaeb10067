import { keyBits, reservedKeys } from "./attribute-keys.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { subscribedBy } from "./subscription-state.ts";
import type { TrackErrorCode } from "./track-errors.ts";
import { isAlias } from "./user-table.ts";

const MAX_EXTERNAL_ID_BYTES = 987;
const primaryBits = keyBits.externalId | keyBits.userAlias | keyBits.brazeId;
const identifierBits = primaryBits | keyBits.email | keyBits.phone;
const simpleBits = keyBits.externalId | keyBits.control | keyBits.profile;
const globalStates = new Set<JsonValue | undefined>(["subscribed", "unsubscribed", "opted_in"]);

/** What validation must know of the workspace. */
export interface ValidationRules {
  blockedIds: ReadonlySet<string>;
  isKnownGroup(id: string): boolean;
}

/** Checks one attributes object in Braze's order: the first thing wrong with it, or undefined. */
export function checkAttributes(object: JsonValue, rules: ValidationRules): TrackErrorCode | undefined {
  if (!isJsonObject(object)) return "notAnObject";
  const bits = bitsOf(object);
  const identifier = checkIdentifier(object, bits, rules);
  // Nearly every object is an id and a few plain values, and a million of them must pass quickly.
  if (identifier !== undefined || (bits & ~simpleBits) === 0) return identifier;
  return checkAddress(object, bits) ?? checkGroups(object, bits, rules) ?? checkForbidden(bits);
}

/** Events and purchases are not stored: only their identifiers (and quantities) are checked. */
export function checkRecord(object: JsonValue, rules: ValidationRules): TrackErrorCode | undefined {
  if (!isJsonObject(object)) return "notAnObject";
  const quantity = object["quantity"];
  return (
    checkIdentifier(object, bitsOf(object), rules) ??
    (quantity === undefined || isQuantity(quantity) ? undefined : "quantity")
  );
}

function bitsOf(object: JsonObject): number {
  let bits = 0;
  // eslint-disable-next-line guard-for-in -- parsed JSON inherits nothing enumerable, and Object.keys would allocate
  for (const key in object) bits |= reservedKeys.get(key) ?? 0;
  return bits;
}

function checkIdentifier(
  object: JsonObject,
  bits: number,
  rules: ValidationRules,
): TrackErrorCode | undefined {
  const primary = bits & primaryBits;
  if (primary === keyBits.externalId) return checkExternalId(object["external_id"], bits, object, rules);
  if ((bits & identifierBits) === 0) return isTokenImport(object) ? undefined : "identifierRequired";
  if ((primary & (primary - 1)) !== 0) return "onePrimary";
  if (primary === keyBits.userAlias) return isAlias(object["user_alias"]) ? undefined : "badIdentifier";
  if (primary === keyBits.brazeId)
    return typeof object["braze_id"] === "string" ? undefined : "badIdentifier";
  return undefined;
}

function checkExternalId(
  id: JsonValue | undefined,
  bits: number,
  object: JsonObject,
  rules: ValidationRules,
): TrackErrorCode | undefined {
  if (id === "" || id === null) return "identifierRequired";
  if (typeof id !== "string") return "badIdentifier";
  // A UTF-16 unit takes at most 3 bytes of UTF-8: most ids need no counting.
  if (id.length * 3 > MAX_EXTERNAL_ID_BYTES && Buffer.byteLength(id) > MAX_EXTERNAL_ID_BYTES)
    return "idTooLarge";
  if (rules.blockedIds.has(id)) return "idBlocked";
  return (bits & keyBits.pushTokenImport) !== 0 && isTokenImport(object) ? "pushTokenImport" : undefined;
}

function isTokenImport(object: JsonObject): boolean {
  return object["push_token_import"] === true;
}

function checkAddress(object: JsonObject, bits: number): TrackErrorCode | undefined {
  const email = object["email"];
  if (email !== undefined && email !== null && !isEmail(email)) return "emailFormat";
  if ((bits & keyBits.emailSubscribe) !== 0 && !globalStates.has(object["email_subscribe"]))
    return "emailState";
  if ((bits & keyBits.pushSubscribe) !== 0 && !globalStates.has(object["push_subscribe"])) return "pushState";
  return undefined;
}

function isEmail(value: JsonValue): boolean {
  return typeof value === "string" && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value);
}

function checkGroups(object: JsonObject, bits: number, rules: ValidationRules): TrackErrorCode | undefined {
  if ((bits & keyBits.subscriptionGroups) === 0) return undefined;
  const groups = object["subscription_groups"];
  if (!Array.isArray(groups)) return "groupArray";
  for (const group of groups) {
    if (!isJsonObject(group)) return "groupHash";
    const id = group["subscription_group_id"];
    if (typeof id !== "string" || !rules.isKnownGroup(id)) return "groupId";
    if (subscribedBy(group["subscription_state"]) === undefined) return "groupState";
  }
  return undefined;
}

function checkForbidden(bits: number): TrackErrorCode | undefined {
  return (bits & keyBits.emailSubscriptionInfo) === 0 ? undefined : "emailInfo";
}

function isQuantity(value: JsonValue): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 100;
}
