import { createHash } from "node:crypto";
import { connectorName, type ConnectorKey } from "../contracts/connector-id.ts";

/** A connector's own interval differs from the set one by so much at most. */
const spread = 0.1;

/**
 * How long this connector waits between two looks: the set interval, up to 10 % less or more by its name, so that thousands of
 * connectors which began together do not go on asking SegOps together.
 */
export function lookIntervalOf(key: ConnectorKey, lookIntervalMs: number): number {
  const place = createHash("sha256").update(connectorName(key)).digest().readUInt32BE() / 0xffff_ffff;
  return Math.round(lookIntervalMs * (1 + spread * (2 * place - 1)));
}
