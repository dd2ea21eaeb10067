import { z } from "zod";
import { CodedError } from "../contracts/errors.ts";
import type { BrazeRequest } from "./request.ts";
import { statusError } from "./response.ts";
import type { HttpAnswer } from "./response.ts";

/** Users of one request at most (reference: Braze API, section 7). */
export const exportBatchSizeUsers = 50;

/** What Braze shows of a user: the attribute is true; it is anything else or not there; it has no such user. */
export type ShownAs = "member" | "not_member" | "unknown_user";

/**
 * POST /users/export/ids for up to 50 users. A single custom attribute cannot be asked for: all of a profile's come, and are
 * read for one and dropped.
 */
export function exportIdsRequest(userIds: readonly string[]): BrazeRequest {
  const asked = { external_ids: userIds, fields_to_export: ["external_id", "custom_attributes"] };
  return { limiter: "export", path: "/users/export/ids", body: JSON.stringify(asked), userIds };
}

const exportSchema = z.looseObject({
  users: z.array(
    z.looseObject({
      external_id: z.string().optional().catch(undefined),
      // An absent field is null or empty.
      custom_attributes: z.record(z.string(), z.unknown()).nullish(),
    }),
  ),
  invalid_user_ids: z.array(z.unknown()).nullish(),
});

interface AskedUsers {
  userIds: readonly string[];
  attributeName: string;
}

/**
 * Reads what Braze shows of the users that were asked for. One of whom it says nothing at all is left out. Throws a
 * `CodedError` where it refused or cannot be read; none ever holds an id or a body.
 */
export function readExportedUsers(
  answer: HttpAnswer,
  { userIds, attributeName }: AskedUsers,
  wallMs: number,
): Map<string, ShownAs> {
  const { status } = answer;
  if (status < 200 || status >= 300) throw statusError(answer, wallMs);
  const { users, invalid_user_ids: invalid } = parseExport(answer);
  const asked = new Set<unknown>(userIds);
  const shown = new Map<string, ShownAs>();
  for (const id of invalid ?? []) if (typeof id === "string" && asked.has(id)) shown.set(id, "unknown_user");
  for (const { external_id: id, custom_attributes: attributes } of users) {
    if (id === undefined || !asked.has(id)) continue;
    const isMember =
      attributes && Object.hasOwn(attributes, attributeName) && attributes[attributeName] === true;
    shown.set(id, isMember ? "member" : "not_member");
  }
  return shown;
}

function parseExport({ status, body }: HttpAnswer): z.infer<typeof exportSchema> {
  try {
    const parsed = exportSchema.safeParse(JSON.parse(body));
    if (parsed.success) return parsed.data;
  } catch (error) {
    // The parser's own message repeats the text.
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new CodedError("braze_answer_unreadable", `HTTP ${status}, no users`);
}
