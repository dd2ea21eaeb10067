/** SegOps' roles. A viewer reads; the others also write. */
export const roles = ["viewer", "member", "admin", "owner"] as const;
export type Role = (typeof roles)[number];

/** Who asks. */
export interface Principal {
  tenant: string;
  role: Role;
  /** Names the key or the person in rate limits, without being a secret. */
  id: string;
}

export function mayWrite({ role }: Principal): boolean {
  return role !== "viewer";
}
