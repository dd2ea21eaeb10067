import type { WorkspaceSettings } from "./workspace-settings.ts";

/**
 * Why one object was refused: Braze's symbolic name, and the sentence seen on the wire. Sentences that begin with
 * "(stand-in)" are ours, as are names that begin with STANDIN_: nothing public shows Braze's own, so no client may rely on them.
 */
const trackErrors = {
  notAnObject: ["STANDIN_NOT_AN_OBJECT", "(stand-in) each entry must be an object"],
  identifierRequired: [
    "STANDIN_IDENTIFIER_REQUIRED",
    "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required",
  ],
  onePrimary: [
    "STANDIN_ONE_PRIMARY_IDENTIFIER",
    "You must specify only one of 'external_id', 'user_alias' or 'braze_id'",
  ],
  badIdentifier: ["STANDIN_BAD_IDENTIFIER", "(stand-in) the identifier has the wrong type"],
  idTooLarge: ["EXTERNAL_USER_ID_TOO_LARGE", "(stand-in) 'external_id' is over 987 bytes"],
  idBlocked: ["BLACKLISTED_EXTERNAL_USER_ID", "provided external_id is blacklisted and disallowed"],
  emailFormat: ["EMAIL_BAD_FORMAT", "The value provided for the 'email' field is not a valid email."],
  emailState: [
    "BAD_EMAIL_SUBSCRIPTION_STATE",
    "'email_subscribe' must be 'subscribed', 'unsubscribed', or 'opted_in'",
  ],
  pushState: [
    "BAD_PUSH_SUBSCRIPTION_STATE",
    "'push_subscribe' must be 'subscribed', 'unsubscribed', or 'opted_in'",
  ],
  groupArray: ["BAD_SUBSCRIPTION_GROUP_ARRAY", "(stand-in) 'subscription_groups' must be an array"],
  groupHash: ["BAD_SUBSCRIPTION_GROUP_HASH", "(stand-in) each of 'subscription_groups' must be an object"],
  groupId: ["BAD_SUBSCRIPTION_GROUP_ID", "(stand-in) 'subscription_group_id' is not the id of a group"],
  groupState: [
    "BAD_SUBSCRIPTION_GROUP_STATE",
    "(stand-in) 'subscription_state' must be 'subscribed' or 'unsubscribed'",
  ],
  emailInfo: [
    "INVALID_ATTRIBUTE_EMAIL_SUBSCRIPTION_INFO",
    "(stand-in) 'email_subscription_info' is not a valid attribute",
  ],
  pushTokenImport: [
    "BAD_PUSH_TOKEN_IMPORT",
    "(stand-in) 'push_token_import' forbids 'external_id' and 'braze_id'",
  ],
  quantity: ["STANDIN_BAD_QUANTITY", "'quantity' is not valid"],
} as const;

export type TrackErrorCode = keyof typeof trackErrors;

export interface TrackError {
  index: number;
  input_array: string;
  type: string;
}

/** The error as it rides in `errors`; in the style `strings`, a bare sentence. */
export function trackError(
  code: TrackErrorCode,
  index: number,
  inputArray: string,
  style: WorkspaceSettings["errorStyle"],
): TrackError | string {
  const [name, sentence] = trackErrors[code];
  if (style === "strings") return sentence;
  return { index, input_array: inputArray, type: style === "names" ? name : sentence };
}
