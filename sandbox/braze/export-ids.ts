import { jsonAnswer, refusal } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { Call } from "./call.ts";
import { stringList } from "./json.ts";
import type { JsonValue } from "./json.ts";
import { isAlias } from "./user-table.ts";
import type { UserTable } from "./user-table.ts";

const MAX_IDS = 50;
const TOO_MANY = "The max number of ids per request was exceeded";

/** POST /users/export/ids: applied state only; a field that is absent from a user is null or empty. */
export function exportIds(call: Call): Answer {
  const { workspace, body } = call;
  const ids = stringList(body["external_ids"]) ?? [];
  const aliases = Array.isArray(body["user_aliases"]) ? body["user_aliases"] : [];
  if (ids.length + aliases.length > MAX_IDS) return refusal(400, TOO_MANY);
  const fields = stringList(body["fields_to_export"]);
  if (fields === undefined && workspace.settings.requireFieldsToExport) {
    return refusal(400, "(stand-in) 'fields_to_export' is required");
  }
  const { users } = workspace;
  const found = [
    ...ids.map((id) => users.find(id)),
    ...aliases.map((alias) => (isAlias(alias) ? users.findAlias(alias) : undefined)),
    ...foundOtherwise(users, body),
  ];
  const unknown = ids.filter((id) => users.find(id) === undefined);
  const rows = [...new Set(found)].flatMap((user) =>
    user === undefined ? [] : [exportUser(users, user, fields)],
  );
  const invalid = unknown.length > 0 ? { invalid_user_ids: unknown } : {};
  return jsonAnswer(201, { message: "success", users: rows, ...invalid });
}

function foundOtherwise(users: UserTable, body: Record<string, JsonValue>): readonly (number | undefined)[] {
  const { braze_id: brazeId, email_address: email, phone } = body;
  if (typeof brazeId === "string") return [users.findBrazeId(brazeId)];
  if (typeof email === "string") return users.emails.holders(email);
  return typeof phone === "string" ? users.phones.holders(phone) : [];
}

function exportUser(users: UserTable, user: number, fields: string[] | undefined): Record<string, JsonValue> {
  const custom = users.custom.valuesOf(user);
  const alias = users.aliasOf(user);
  const whole: Record<string, JsonValue> = {
    ...users.profile.valuesOf(user),
    external_id: users.externalId(user),
    braze_id: users.brazeId(user),
    user_aliases: alias === undefined ? null : [alias],
    custom_attributes: Object.keys(custom).length > 0 ? custom : null,
  };
  const wanted = Object.entries(whole).filter(
    ([name, value]) => value !== null && (fields === undefined || fields.includes(name)),
  );
  return Object.fromEntries(wanted);
}
