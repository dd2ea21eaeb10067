import type { Direction } from "../contracts/channel.ts";
import type { ConnectorConfig } from "../contracts/connector-config.ts";
import type { BrazeRequest } from "./request.ts";

/** What is written in the attribute, as the connector's configuration says. */
interface AttributeWrite extends Pick<ConnectorConfig, "exit_mode" | "create_missing_users"> {
  attributeName: string;
  direction: Direction;
}

/**
 * POST /users/track for up to 75 users: one object each, nothing in it but the id and the attribute, since a bad companion
 * field would make Braze reject the whole object. Users who leave are never created by it.
 */
export function trackRequest(userIds: readonly string[], write: AttributeWrite): BrazeRequest {
  const fields = `,${JSON.stringify(write.attributeName)}:${attributeValue(write)}${updateOnly(write)}`;
  const objects = userIds.map((id) => `{"external_id":${JSON.stringify(id)}${fields}}`);
  return { limiter: "track", path: "/users/track", body: `{"attributes":[${objects.join(",")}]}`, userIds };
}

function attributeValue({ direction, exit_mode }: AttributeWrite): string {
  if (direction === "entered") return "true";
  return exit_mode === "remove" ? "null" : "false";
}

function updateOnly({ direction, create_missing_users }: AttributeWrite): string {
  return direction === "exited" || !create_missing_users ? ',"_update_existing_only":true' : "";
}
