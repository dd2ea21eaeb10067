import { z } from "zod";

/** Why one user was not taken. */
export type UserRejection = "braze_user_blocked" | "braze_id_too_long" | "braze_user_rejected";

/**
 * What Braze says of one object → our code. Its page lists symbolic names while the wire carries sentences, so both are
 * matched; what is not known here is a rejection all the same.
 */
const knownErrors: readonly (readonly [RegExp, UserRejection])[] = [
  [/blacklisted/i, "braze_user_blocked"],
  [/EXTERNAL_USER_ID_TOO_LARGE|external_id\b.*\b(?:too large|too long|\d+ bytes)/i, "braze_id_too_long"],
];

const namedErrorSchema = z.object({
  index: z.int().nonnegative(),
  input_array: z.literal("attributes").optional(),
  type: z.string().catch(""),
});

/** Rejected users by index; `complete` is false where an entry names no user of the batch, so that anyone may be meant. */
interface UserErrors {
  byIndex: Map<number, UserRejection>;
  complete: boolean;
}

/** Reads an answer's `errors`, whatever it holds. Two entries for one user count once, the telling one. */
export function readUserErrors(errors: unknown, users: number): UserErrors {
  const found: UserErrors = { byIndex: new Map(), complete: true };
  if (errors === undefined || errors === null) return found;
  for (const entry of Array.isArray(errors) ? errors : [errors]) {
    const named = namedErrorSchema.safeParse(entry);
    if (!named.success || named.data.index >= users) found.complete = false;
    else noteError(found.byIndex, named.data.index, rejectionOf(named.data.type));
  }
  return found;
}

function noteError(byIndex: Map<number, UserRejection>, index: number, code: UserRejection): void {
  if ((byIndex.get(index) ?? "braze_user_rejected") === "braze_user_rejected") byIndex.set(index, code);
}

/** The code of the first entry's text, for a batch that was narrowed down to one user. */
export function unnamedRejection(errors: unknown): UserRejection {
  const first: unknown = Array.isArray(errors) ? errors[0] : errors;
  if (typeof first === "string") return rejectionOf(first);
  const typed = z.object({ type: z.string() }).safeParse(first);
  return rejectionOf(typed.success ? typed.data.type : "");
}

function rejectionOf(type: string): UserRejection {
  return knownErrors.find(([pattern]) => pattern.test(type))?.[1] ?? "braze_user_rejected";
}
