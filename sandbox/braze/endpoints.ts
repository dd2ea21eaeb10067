import type { Endpoint } from "./call.ts";
import { listCustomAttributes } from "./custom-attributes.ts";
import { exportIds } from "./export-ids.ts";
import { getSubscriptionStatus } from "./subscription-get.ts";
import { setSubscriptionStatus, setSubscriptionStatusV2 } from "./subscription-set.ts";
import { track, trackBulk, trackSync } from "./track.ts";

const MB = 1024 * 1024;
const post = { method: "POST", maxBytes: 4 * MB } as const;
const get = { method: "GET", maxBytes: 4 * MB } as const;
const intake = { ...post, pool: "track", notesBodies: true } as const;
const consent = { ...post, pool: "subscription", permission: "subscription.status.set" } as const;

/** Exact paths that Braze answers; everything else is 404. */
export const endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ["/users/track", { ...intake, permission: "users.track", handle: track }],
  [
    "/users/track/bulk",
    { ...intake, permission: "users.track.bulk", maxBytes: 2 * MB, oversize: "json400", handle: trackBulk },
  ],
  ["/users/track/sync", { ...intake, permission: "users.track.sync", handle: trackSync }],
  ["/users/export/ids", { ...post, permission: "users.export.ids", handle: exportIds }],
  ["/subscription/status/set", { ...consent, handle: setSubscriptionStatus }],
  ["/v2/subscription/status/set", { ...consent, handle: setSubscriptionStatusV2 }],
  [
    "/subscription/status/get",
    { ...get, permission: "subscription.status.get", handle: getSubscriptionStatus },
  ],
  ["/custom_attributes", { ...get, permission: "custom_attributes.get", handle: listCustomAttributes }],
]);

/** What a new key may do: all but the closed betas. */
export const defaultPermissions: readonly string[] = [
  "users.track",
  "subscription.status.set",
  "subscription.status.get",
  "users.export.ids",
  "custom_attributes.get",
];
