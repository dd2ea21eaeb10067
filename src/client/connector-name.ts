import { z } from "zod";
import { fieldIssues, issueWords } from "../contracts/connector-config.ts";
import { connectorKeySchema, segmentIdSchema, type ConnectorKey } from "../contracts/connector-id.ts";
import { ClientError } from "./client-error.ts";

/** SegOps writes a segment's id as a number; other senders may quote it. */
const webhookNameSchema = connectorKeySchema.extend({
  segment_id: z.preprocess(
    (id) => (typeof id === "string" && /^[1-9][0-9]{0,15}$/.test(id) ? Number(id) : id),
    segmentIdSchema,
  ),
});

/** The key as a checked one, because it becomes part of a workflow id. Error: `name_invalid`. */
export function checkedKey(key: ConnectorKey): ConnectorKey {
  return parsedName(connectorKeySchema, key);
}

/** Which connector a recompute webhook's body is for. Error: `name_invalid`, naming both fields where both are wrong. */
export function connectorOfWebhook(body: unknown): ConnectorKey {
  return parsedName(webhookNameSchema, body);
}

/** Reads a part of a name, such as a tenant to list. Error: `name_invalid`. */
export function parsedName<Name>(schema: z.ZodType<Name>, value: unknown): Name {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ClientError("name_invalid", issueWords(fieldIssues(parsed.error)));
}
