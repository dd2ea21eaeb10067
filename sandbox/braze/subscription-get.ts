import { jsonAnswer, refusal } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { AddressBook } from "./address-book.ts";
import type { Call } from "./call.ts";
import type { Workspace } from "./workspace.ts";

const MAX_IDS = 50;
const TOO_MANY = "The max number of external_ids and aliases per request was exceeded";
const MIXED = "Either an email address or a phone number should be provided, but not both.";

/** GET /subscription/status/get: the stored state of one group; capitalised here, unlike everywhere else. */
export function getSubscriptionStatus(call: Call): Answer {
  const { workspace, query } = call;
  const group = query.get("subscription_group_id");
  if (group === null || !workspace.isKnownGroup(group)) {
    return refusal(400, "(stand-in) 'subscription_group_id' is not the id of a group");
  }
  const [externalIds, emails, phones] = [
    valuesOf(query, "external_id"),
    valuesOf(query, "email"),
    valuesOf(query, "phone"),
  ];
  if (externalIds.length === 0 && emails.length > 0 && phones.length > 0) return refusal(400, MIXED);
  const [asked, stateOf] =
    externalIds.length > 0
      ? [externalIds, (id: string) => stateOfUser(workspace, group, workspace.users.find(id))]
      : emails.length > 0
        ? [emails, (email: string) => stateOfAddress(workspace, group, workspace.users.emails, email)]
        : [phones, (phone: string) => stateOfAddress(workspace, group, workspace.users.phones, phone)];
  if (asked.length > MAX_IDS) return refusal(400, TOO_MANY);
  if (asked.length === 0) return refusal(400, "(stand-in) 'external_id', 'email' or 'phone' is required");
  const status = Object.fromEntries(asked.map((name) => [name, wireName(stateOf(name))]));
  return jsonAnswer(200, { status, message: "success" });
}

function valuesOf(query: URLSearchParams, name: string): string[] {
  return [...query.getAll(name), ...query.getAll(`${name}[]`)];
}

function stateOfUser(workspace: Workspace, group: string, user: number | undefined): boolean | undefined {
  const state = user === undefined ? undefined : workspace.users.groups.find(group)?.get(user);
  return typeof state === "boolean" ? state : undefined;
}

function stateOfAddress(
  workspace: Workspace,
  group: string,
  book: AddressBook,
  address: string,
): boolean | undefined {
  const user = workspace.users.preferred(book.holders(address));
  if (user !== undefined) return stateOfUser(workspace, group, user);
  return book.orphanState(address, group, Date.now());
}

function wireName(state: boolean | undefined): string {
  if (state === undefined) return "Unknown";
  return state ? "Subscribed" : "Unsubscribed";
}
