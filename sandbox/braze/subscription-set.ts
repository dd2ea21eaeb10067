import { jsonAnswer, refusal } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { AddressBook } from "./address-book.ts";
import type { Call } from "./call.ts";
import { isJsonObject, stringList } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { LostUpdateJournal } from "./lost-update.ts";
import { stateName, subscribedBy } from "./subscription-state.ts";
import type { Workspace } from "./workspace.ts";

const MAX_IDS = 50;
const TOO_MANY = "The max number of external_ids and aliases per request was exceeded";
const MIXED = "Either an email address or a phone number should be provided, but not both.";
const e164 = /^\+[1-9]\d{1,14}$/;

/** One group's new state and for whom. */
interface GroupChange {
  group: string;
  subscribed: boolean;
  externalIds: string[];
  emails: string[];
  phones: string[];
  storeOrphans: boolean;
}

interface FieldNames {
  externalIds: string;
  emails: string;
  phones: string;
}

const singular: FieldNames = { externalIds: "external_id", emails: "email", phones: "phone" };
const plural: FieldNames = { externalIds: "external_ids", emails: "emails", phones: "phones" };

/** POST /subscription/status/set: one group, field names in the singular. */
export function setSubscriptionStatus(call: Call): Answer {
  return setAll(call, [call.body], singular);
}

/** POST /v2/subscription/status/set: several groups, field names in the plural; at most 50 users in all. */
export function setSubscriptionStatusV2(call: Call): Answer {
  const groups = call.body["subscription_groups"];
  if (!Array.isArray(groups) || groups.length === 0)
    return refusal(400, "(stand-in) 'subscription_groups' is required");
  return setAll(call, groups, plural);
}

function setAll(call: Call, entries: JsonValue[], fields: FieldNames): Answer {
  const parsed = entries.map((entry) => parseChange(entry, fields, call.workspace));
  const problem = parsed.find((change) => typeof change === "string");
  if (typeof problem === "string") return refusal(400, problem);
  const changes = parsed.filter((change) => typeof change !== "string");
  if (
    changes.some((change) => change.emails.length > 0) &&
    changes.some((change) => change.phones.length > 0)
  ) {
    return refusal(400, MIXED);
  }
  const total = changes.reduce((sum, change) => sum + sizeOf(change), 0);
  if (total > MAX_IDS) return refusal(400, TOO_MANY);
  accept(call, changes, total);
  return jsonAnswer(201, { message: "success" });
}

function parseChange(entry: JsonValue, fields: FieldNames, workspace: Workspace): GroupChange | string {
  if (!isJsonObject(entry)) return "(stand-in) each of 'subscription_groups' must be an object";
  const group = entry["subscription_group_id"];
  const subscribed = subscribedBy(entry["subscription_state"]);
  if (typeof group !== "string" || !workspace.isKnownGroup(group)) {
    return "(stand-in) 'subscription_group_id' is not the id of a group";
  }
  if (subscribed === undefined)
    return "(stand-in) 'subscription_state' must be 'subscribed' or 'unsubscribed'";
  const lists = readLists(entry, fields);
  if (typeof lists === "string") return lists;
  const change = { group, subscribed, ...lists, storeOrphans: entry["use_double_opt_in_logic"] !== true };
  return sizeOf(change) === 0
    ? `(stand-in) '${fields.externalIds}', '${fields.emails}' or '${fields.phones}' is required`
    : change;
}

function readLists(
  entry: JsonObject,
  fields: FieldNames,
): Pick<GroupChange, "externalIds" | "emails" | "phones"> | string {
  const [externalIds, emails, phones] = [fields.externalIds, fields.emails, fields.phones].map((field) =>
    entry[field] === undefined ? [] : stringList(entry[field]),
  );
  if (!externalIds || !emails || !phones)
    return "(stand-in) identifiers must be strings or arrays of strings";
  if (!phones.every((phone) => e164.test(phone))) return "(stand-in) phone numbers must be in E.164 form";
  return { externalIds, emails, phones };
}

function sizeOf(change: Pick<GroupChange, "externalIds" | "emails" | "phones">): number {
  return change.externalIds.length + change.emails.length + change.phones.length;
}

function accept(call: Call, changes: GroupChange[], total: number): void {
  const { workspace, at, requestId } = call;
  const { writes } = workspace;
  const first = writes.length;
  for (const change of changes) record(call, change);
  const end = writes.length;
  workspace.stats.objectsAccepted += total;
  workspace.queue.push({
    acceptedAt: at,
    objects: total,
    apply: (journal) => {
      for (const change of changes) apply(workspace, change, requestId, journal);
      writes.markApplied(first, end, Date.now());
    },
  });
}

function record(call: Call, change: GroupChange): void {
  const name = `subscription_group:${change.group}`;
  const users = [
    ...change.externalIds,
    ...change.emails.map((email) => `email:${JSON.stringify(email)}`),
    ...change.phones.map((phone) => `phone:${JSON.stringify(phone)}`),
  ];
  for (const user of users)
    call.workspace.note(user, name, stateName(change.subscribed), call.requestId, call.at);
}

function apply(
  workspace: Workspace,
  change: GroupChange,
  requestId: number,
  journal?: LostUpdateJournal,
): void {
  const { users } = workspace;
  for (const id of change.externalIds) {
    // An unknown external id has no effect, and no result tells so.
    const user = users.find(id);
    if (user === undefined) continue;
    journal?.begin(user, requestId);
    journal?.note(user, users.groups.open(change.group));
    users.setGroup(user, change.group, change.subscribed);
  }
  for (const email of change.emails) applyToAddress(workspace, users.emails, email, change);
  for (const phone of change.phones) applyToAddress(workspace, users.phones, phone, change);
}

function applyToAddress(workspace: Workspace, book: AddressBook, address: string, change: GroupChange): void {
  const holders = book.holders(address);
  for (const user of holders) workspace.users.groups.open(change.group).set(user, change.subscribed);
  if (holders.length === 0 && change.storeOrphans) {
    book.storeOrphan(address, change.group, change.subscribed, Date.now());
  }
}
