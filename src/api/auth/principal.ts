import type { Role } from "../../contracts/role.ts";

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
