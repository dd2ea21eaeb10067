import { defaultPayloadConverter } from "@temporalio/common";
import { JSONToPayload, type JSONPayload } from "@temporalio/common/lib/proto-utils.js";
import { z } from "zod";
import { searchAttributes, storageIdMemo } from "../../src/contracts/temporal-names.ts";
import { patches } from "../../src/workflows/patches.ts";
import {
  activitySchemas,
  signalSchemas,
  updateOptionSchemas,
  updateSchemas,
  viewSchema,
  workflowSchemas,
} from "./payload-schemas.ts";

/** One event as a history's JSON has it. */
type HistoryEvent = Record<string, unknown> & { eventId: string; eventType: string };
interface Found {
  path: string;
  payload: JSONPayload;
}
/** Finds what an event belongs to by another event's id. */
type Lookup = (eventId: unknown) => HistoryEvent | undefined;

/**
 * Reads every payload of a history, wherever it is. Answers how many there are, and each that today's schemas do not fit or
 * that nobody here knows, such as `event 17 activityTaskCompletedEventAttributes.result.payloads.0: …`.
 */
export function checkPayloads(text: string): { count: number; misfits: string[] } {
  const { events } = JSON.parse(text) as { events: HistoryEvent[] };
  const byId = new Map(events.map((event) => [event.eventId, event]));
  const lookup: Lookup = (eventId) => byId.get(String(eventId));
  const checked = events.flatMap((event) =>
    [...findPayloads(event, "")].map((found) => misfitOf(event, found, lookup)),
  );
  return { count: checked.length, misfits: checked.filter((misfit) => misfit !== undefined) };
}

function misfitOf(event: HistoryEvent, { path, payload }: Found, lookup: Lookup): string | undefined {
  const where = `event ${event.eventId} ${path}`;
  const schema = schemaFor(event, path, lookup);
  if (!schema) return `${where}: a payload that no schema here is for`;
  const value: unknown = defaultPayloadConverter.fromPayload(JSONToPayload(payload));
  const parsed = schema.safeParse(value);
  return parsed.success ? undefined : `${where}: ${z.prettifyError(parsed.error)}`;
}

function* findPayloads(value: unknown, path: string): Generator<Found> {
  if (typeof value !== "object" || value === null) return;
  if (isPayload(value)) {
    yield { path, payload: value };
    return;
  }
  for (const [name, inner] of Object.entries(value))
    yield* findPayloads(inner, path ? `${path}.${name}` : name);
}

function isPayload(value: object): value is JSONPayload {
  const { metadata } = value as { metadata?: unknown };
  return typeof metadata === "object" && metadata !== null && "encoding" in metadata;
}

function schemaFor(event: HistoryEvent, path: string, lookup: Lookup): z.ZodType | undefined {
  if (path === "userMetadata.summary") return z.string().min(1);
  const attribute = /\.searchAttributes\.indexedFields\.(\w+)$/.exec(path)?.[1];
  if (attribute) return attributeSchema(attribute);
  if (path.endsWith(`emo.fields.${storageIdMemo}`)) return z.uuid();
  if (path.endsWith(".details.patch-data.payloads.0")) return patchSchema;
  const [attributesName = ""] = path.split(".");
  const attributes = event[attributesName] as Record<string, unknown>;
  const isDetail = /\.(details|lastHeartbeatDetails)\.payloads\.0$/.test(path);
  if (path.endsWith(".details.payloads.1")) return activityOf(attributes, lookup)?.doubt;
  if (attributesName === "workflowExecutionUpdateAcceptedEventAttributes" && path.endsWith(".payloads.1")) {
    return named(updateOptionSchemas, updateRequest(attributes));
  }
  // Every other function of ours takes and answers one value.
  if (!path.endsWith(".payloads.0")) return undefined;
  switch (attributesName.replace("EventAttributes", "")) {
    case "workflowExecutionStarted":
    case "workflowExecutionContinuedAsNew":
    case "startChildWorkflowExecutionInitiated":
      return named(workflowSchemas, attributes["workflowType"])?.input;
    case "workflowExecutionCompleted":
      return named(workflowSchemas, attributesOf(lookup("1"))?.["workflowType"])?.result;
    case "childWorkflowExecutionCompleted":
      return named(workflowSchemas, attributes["workflowType"])?.result;
    case "activityTaskScheduled":
      return named(activitySchemas, attributes["activityType"])?.input;
    case "activityTaskCompleted":
      return activityOf(attributes, lookup)?.result;
    case "activityTaskStarted":
    case "activityTaskFailed":
    case "activityTaskTimedOut":
    case "activityTaskCanceled":
      return isDetail ? activityOf(attributes, lookup)?.details : undefined;
    case "workflowExecutionSignaled":
    case "signalExternalWorkflowExecutionInitiated":
      return named(signalSchemas, { name: attributes["signalName"] });
    case "workflowExecutionUpdateAccepted":
      return named(updateSchemas, updateRequest(attributes));
    case "workflowExecutionUpdateCompleted":
      return path.includes(".outcome.success.") ? viewSchema : undefined;
    default:
      return undefined;
  }
}

/** What the SDK notes of a `patched(…)`. */
const patchSchema = z.object({
  id: z.enum(Object.values(patches).map(({ id }) => id)),
  deprecated: z.boolean(),
});

function attributeSchema(name: string): z.ZodType | undefined {
  // The SDK's own, of the patches that a history has passed.
  if (name === "TemporalChangeVersion") return z.array(z.string().min(1));
  const key = Object.values(searchAttributes).find((known) => known.name === name);
  switch (key?.type) {
    case "KEYWORD":
      return z.string().min(1);
    case "INT":
      return z.int().nonnegative();
    case "DATETIME":
      return z.iso.datetime({ offset: true });
    default:
      return undefined;
  }
}

function named<Schema>(schemas: Record<string, Schema>, type: unknown): Schema | undefined {
  const { name } = type as { name: string };
  return Object.hasOwn(schemas, name) ? schemas[name] : undefined;
}

/** Of which activity an event tells: only its scheduling says so. */
function activityOf(attributes: Record<string, unknown>, lookup: Lookup) {
  const scheduled = attributesOf(lookup(attributes["scheduledEventId"]));
  return named(activitySchemas, scheduled?.["activityType"]);
}

function updateRequest(attributes: Record<string, unknown>): unknown {
  const { acceptedRequest } = attributes as { acceptedRequest?: { input?: unknown } };
  return acceptedRequest?.input;
}

function attributesOf(event: HistoryEvent | undefined): Record<string, unknown> | undefined {
  const name = Object.keys(event ?? {}).find((key) => key.endsWith("EventAttributes"));
  return name === undefined ? undefined : (event?.[name] as Record<string, unknown>);
}
