/** What a key of an attributes object means. Each is a bit, so that one pass over an object's keys tells all its parts. */
export const keyBits = {
  externalId: 1,
  userAlias: 2,
  brazeId: 4,
  email: 8,
  phone: 16,
  emailSubscribe: 32,
  pushSubscribe: 64,
  subscriptionGroups: 128,
  emailSubscriptionInfo: 256,
  pushTokenImport: 512,
  /** `_update_existing_only`, `_merge_objects`. */
  control: 1024,
  /** A profile field that needs no check. */
  profile: 2048,
} as const;

const plainProfileFields = `first_name last_name country language dob gender home_city time_zone current_location push_tokens
  date_of_first_session date_of_last_session marked_email_as_spam_at email_open_tracking_disabled
  email_click_tracking_disabled facebook twitter image_url alias_name alias_label app_id bio`;

/** Bits by key. A key that is not in here is a custom attribute; Braze's names are case-sensitive. */
export const reservedKeys: ReadonlyMap<string, number> = new Map<string, number>([
  ["external_id", keyBits.externalId],
  ["user_alias", keyBits.userAlias],
  ["braze_id", keyBits.brazeId],
  ["email", keyBits.email],
  ["phone", keyBits.phone],
  ["email_subscribe", keyBits.emailSubscribe],
  ["push_subscribe", keyBits.pushSubscribe],
  ["subscription_groups", keyBits.subscriptionGroups],
  ["email_subscription_info", keyBits.emailSubscriptionInfo],
  ["push_token_import", keyBits.pushTokenImport],
  ["_update_existing_only", keyBits.control],
  ["_merge_objects", keyBits.control],
  ...plainProfileFields.split(/\s+/).map((name): [string, number] => [name, keyBits.profile]),
]);

/** Profile fields that are written as such; the rest of the reserved keys steer the request. */
export const storedProfileBits =
  keyBits.email | keyBits.phone | keyBits.emailSubscribe | keyBits.pushSubscribe | keyBits.profile;
