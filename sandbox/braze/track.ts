import { jsonAnswer, refusal } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { reservedKeys } from "./attribute-keys.ts";
import { dataPoints } from "./attribute-values.ts";
import type { Call } from "./call.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { applyAttributes, isStoredKey } from "./track-apply.ts";
import { trackError } from "./track-errors.ts";
import type { TrackError } from "./track-errors.ts";
import { checkAttributes, checkRecord } from "./track-validation.ts";
import type { Workspace } from "./workspace.ts";
import type { WorkspaceSettings } from "./workspace-settings.ts";

const NOTHING_VALID = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields.";
const TOO_MANY = "Max Input Length Exceeded";
const BULK_BUDGET = 1_000;
const inputArrays = ["attributes", "events", "purchases"] as const;

type InputArray = (typeof inputArrays)[number];

interface Validated {
  accepted: Record<InputArray, JsonObject[]>;
  errors: (TrackError | string)[];
}

/** POST /users/track: 201 as soon as one object is valid, with an error per refused object; 400 when none is. */
export function track(call: Call): Answer {
  const counts = inputArrays.map((name) => listed(call.body, name).length);
  if (isOverBudget(counts, call.workspace.settings.objectBudget)) return refusal(400, TOO_MANY);
  return process(call);
}

/** POST /users/track/bulk: a closed beta, as /users/track with up to 1,000 objects. */
export function trackBulk(call: Call): Answer {
  return objectCount(call.body) > BULK_BUDGET ? refusal(400, TOO_MANY) : process(call);
}

/** POST /users/track/sync: a closed beta; exactly one object, applied before the answer. */
export function trackSync(call: Call): Answer {
  if (objectCount(call.body) !== 1) return refusal(400, TOO_MANY);
  const { accepted, errors } = validate(call);
  if (errors.length > 0) return jsonAnswer(400, { message: NOTHING_VALID, errors });
  account(call, accepted.attributes)(undefined);
  const user = accepted.attributes[0];
  const sent = user === undefined ? [] : Object.entries(user).filter(([key]) => !reservedKeys.has(key));
  const users = user && [{ external_id: user["external_id"], custom_attributes: Object.fromEntries(sent) }];
  return jsonAnswer(201, { users: users ?? [], message: "success" });
}

function process(call: Call): Answer {
  const { accepted, errors } = validate(call);
  const counters: Record<string, number> = {};
  for (const name of inputArrays) {
    if (accepted[name].length > 0) counters[`${name}_processed`] = accepted[name].length;
  }
  if (Object.keys(counters).length === 0) {
    return jsonAnswer(
      400,
      errors.length > 0 ? { message: NOTHING_VALID, errors } : { message: NOTHING_VALID },
    );
  }
  accept(call, accepted.attributes);
  // The order of the keys is Braze's, as measured: counters, errors, message.
  return jsonAnswer(201, { ...counters, ...(errors.length > 0 ? { errors } : {}), message: "success" });
}

function validate(call: Call): Validated {
  const { workspace } = call;
  const { errorStyle } = workspace.settings;
  const accepted: Validated["accepted"] = { attributes: [], events: [], purchases: [] };
  const errors: Validated["errors"] = [];
  for (const name of inputArrays) {
    const check = name === "attributes" ? checkAttributes : checkRecord;
    const objects = listed(call.body, name);
    for (let index = 0; index < objects.length; index++) {
      const object = objects[index] ?? null;
      const problem = check(object, workspace);
      if (problem !== undefined) errors.push(trackError(problem, index, name, errorStyle));
      else if (isJsonObject(object)) accepted[name].push(object);
    }
  }
  workspace.stats.objectsRejected += errors.length;
  for (const name of inputArrays) workspace.stats.objectsAccepted += accepted[name].length;
  return { accepted, errors };
}

function accept(call: Call, objects: JsonObject[]): void {
  const { workspace, at } = call;
  if (workspace.settings.recordBodies) {
    const total = objectCount(call.body);
    workspace.bodies.push({ seq: workspace.bodies.length, sha256: call.digest, objects: total, at });
  }
  if (objects.length === 0) return;
  const apply = account(call, objects);
  workspace.queue.push({ acceptedAt: at, objects: objects.length, apply });
}

/** Counts and records what was accepted; the function it answers makes it visible. */
function account(call: Call, objects: JsonObject[]): Parameters<Workspace["queue"]["push"]>[0]["apply"] {
  const { workspace, requestId } = call;
  const { writes } = workspace;
  const first = writes.length;
  for (const object of objects) workspace.stats.dataPoints += costOf(object, workspace);
  if (workspace.settings.recordWrites) for (const object of objects) recordObject(call, object);
  const end = writes.length;
  return (journal) => {
    applyAttributes(workspace, objects, requestId, journal);
    if (end > first) writes.markApplied(first, end, Date.now());
  };
}

const freeKeys = new Set(["email_subscribe", "push_subscribe", "subscription_groups"]);

function costOf(object: JsonObject, workspace: Workspace): number {
  let points = 0;
  // eslint-disable-next-line guard-for-in -- parsed JSON inherits nothing enumerable, and Object.keys would allocate
  for (const key in object) {
    if (reservedKeys.has(key) && (freeKeys.has(key) || !isStoredKey(key))) continue;
    const value = object[key] ?? null;
    if (!workspace.blocklisted.has(key)) points += typeof value === "boolean" ? 1 : dataPoints(value);
  }
  return points;
}

function recordObject(call: Call, object: JsonObject): void {
  const { workspace, requestId, at } = call;
  const user = labelOf(object);
  for (const [key, value] of Object.entries(object)) {
    if (key === "subscription_groups" && Array.isArray(value)) {
      for (const group of value.filter(isJsonObject)) {
        const name = `subscription_group:${group["subscription_group_id"] as string}`;
        workspace.note(user, name, group["subscription_state"] ?? null, requestId, at);
      }
    } else if (isStoredKey(key)) {
      workspace.note(user, key, value, requestId, at);
    }
  }
}

/** The user as the write record names it: the external id, or the kind of another identifier and its value. */
function labelOf(object: JsonObject): string {
  const id = object["external_id"];
  if (typeof id === "string") return id;
  for (const kind of ["user_alias", "braze_id", "email", "phone"]) {
    if (object[kind] !== undefined) return `${kind}:${JSON.stringify(object[kind])}`;
  }
  return "anonymous";
}

function listed(body: JsonObject, name: InputArray): JsonValue[] {
  const value = body[name];
  return Array.isArray(value) ? value : [];
}

function objectCount(body: JsonObject): number {
  return inputArrays.reduce((sum, name) => sum + listed(body, name).length, 0);
}

function isOverBudget(counts: number[], budget: WorkspaceSettings["objectBudget"]): boolean {
  if (budget === "legacy75each") return counts.some((count) => count > 75);
  return counts.reduce((sum, count) => sum + count, 0) > (budget === "combined50" ? 50 : 75);
}
