import { InvalidArgumentError } from "commander";
import { parseConnectorName, tenantSlugSchema, type ConnectorKey } from "../contracts/connector-id.ts";

/** `<tenant>/<segment>`, as people name a connector. */
export function connectorArgument(text: string): ConnectorKey {
  const key = parseConnectorName(text);
  if (key) return key;
  throw new InvalidArgumentError("Name a connector as <tenant>/<segment>, such as acme/7.");
}

export function tenantArgument(text: string): string {
  const parsed = tenantSlugSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`It ${parsed.error.issues[0]?.message}.`);
}

/** A whole number from 1 to `most`. */
export function countArgument(most: number): (text: string) => number {
  return (text) => {
    const count = /^\d+$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= most) return count;
    throw new InvalidArgumentError(`Give a whole number from 1 to ${most}.`);
  };
}

/** As `pending_removal.digest` shows it. */
export function digestArgument(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError("Give the 64 hex digits that connector show prints.");
}
