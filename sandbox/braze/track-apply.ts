import { reservedKeys, storedProfileBits } from "./attribute-keys.ts";
import { storedValue } from "./attribute-values.ts";
import type { ForcedType } from "./attribute-values.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { LostUpdateJournal } from "./lost-update.ts";
import { subscribedBy } from "./subscription-state.ts";
import type { UserTable } from "./user-table.ts";
import type { WorkspaceSettings } from "./workspace-settings.ts";

/** Where accepted attributes objects go, and by what rules. */
export interface ApplyTarget {
  users: UserTable;
  settings: WorkspaceSettings;
  blocklisted: ReadonlySet<string>;
  forcedTypes: ReadonlyMap<string, ForcedType>;
}

/** Applies the valid attributes objects of one request, in their order. */
export function applyAttributes(
  target: ApplyTarget,
  objects: JsonObject[],
  requestId: number,
  journal: LostUpdateJournal | undefined,
): void {
  const now = Date.now();
  for (const object of objects) {
    const user = profileFor(target.users, object, now);
    if (user === undefined) continue;
    target.users.touch(user);
    journal?.begin(user, requestId);
    applyObject(target, user, object, now, journal);
  }
}

/** The profile an object speaks of, created where Braze creates one; undefined when nothing is to be written. */
function profileFor(users: UserTable, object: JsonObject, now: number): number | undefined {
  const id = object["external_id"];
  const updateOnly = object["_update_existing_only"];
  if (typeof id === "string") return users.find(id) ?? (updateOnly === true ? undefined : users.create(id));
  const alias = object["user_alias"];
  if (isJsonObject(alias)) {
    // For aliases the default is the opposite: only an explicit false creates.
    return users.findAlias(alias) ?? (updateOnly === false ? users.createAlias(alias) : undefined);
  }
  const brazeId = object["braze_id"];
  if (typeof brazeId === "string") return users.findBrazeId(brazeId);
  return profileByAddress(users, object, updateOnly === true, now);
}

function profileByAddress(
  users: UserTable,
  object: JsonObject,
  updateOnly: boolean,
  now: number,
): number | undefined {
  const { email, phone } = object;
  const name = typeof email === "string" ? "email" : "phone";
  const address = name === "email" ? email : phone;
  if (typeof address !== "string") return undefined;
  const book = name === "email" ? users.emails : users.phones;
  const found = users.preferred(book.holders(address));
  if (found !== undefined || updateOnly) return found;
  const user = users.create(null);
  users.setProfileField(user, name, address, now);
  return user;
}

function applyObject(
  target: ApplyTarget,
  user: number,
  object: JsonObject,
  now: number,
  journal: LostUpdateJournal | undefined,
): void {
  // eslint-disable-next-line guard-for-in -- parsed JSON inherits nothing enumerable, and Object.keys would allocate
  for (const key in object) {
    const bit = reservedKeys.get(key);
    const value = object[key] ?? null;
    if (bit === undefined) {
      applyCustom(target, user, key, value, object["_merge_objects"] === true, journal);
    } else if ((bit & storedProfileBits) !== 0 && key !== "bio") {
      journal?.note(user, target.users.profile.open(key));
      target.users.setProfileField(user, key, value, now);
    }
  }
  applyGroups(target.users, user, object["subscription_groups"]);
}

function applyCustom(
  target: ApplyTarget,
  user: number,
  name: string,
  value: JsonValue,
  mergeObjects: boolean,
  journal: LostUpdateJournal | undefined,
): void {
  if (target.blocklisted.has(name) || name.length > 255) return;
  const column = target.users.custom.open(name);
  journal?.note(user, column);
  const { arrayLimit } = target.settings;
  const forcedType = target.forcedTypes.get(name);
  const plain = typeof value === "boolean" && forcedType === undefined;
  const stored = plain
    ? value
    : storedValue(value, { current: column.get(user), arrayLimit, forcedType, mergeObjects });
  if (stored === null) column.delete(user);
  else if (stored !== undefined) column.set(user, stored);
}

function applyGroups(users: UserTable, user: number, groups: JsonValue | undefined): void {
  if (!Array.isArray(groups)) return;
  for (const group of groups) {
    if (!isJsonObject(group)) continue;
    const { subscription_group_id: id, subscription_state: state } = group;
    const subscribed = subscribedBy(state);
    if (subscribed !== undefined && typeof id === "string") users.setGroup(user, id, subscribed);
  }
}

/** Whether a key is stored as a profile field or custom attribute, as opposed to steering the request. */
export function isStoredKey(key: string): boolean {
  const bit = reservedKeys.get(key);
  return bit === undefined || (bit & storedProfileBits) !== 0;
}
