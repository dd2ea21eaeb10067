/** SegOps' roles. A viewer reads; the others also write. */
export const roles = ["viewer", "member", "admin", "owner"] as const;
export type Role = (typeof roles)[number];
