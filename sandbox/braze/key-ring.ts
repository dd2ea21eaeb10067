import { defaultPermissions } from "./endpoints.ts";
import { Faults } from "./faults.ts";
import { Limiter } from "./limits.ts";
import { Workspace } from "./workspace.ts";
import type { WorkspacePatch } from "./workspace-settings.ts";

/** A REST key: what it opens and what it may do. */
export interface Grant {
  workspace: Workspace;
  permissions: ReadonlySet<string>;
  revoked: boolean;
}

/** All that one stand-in process holds: keys, the workspaces they open, faults, shared windows. */
export class KeyRing {
  readonly faults = new Faults();
  readonly #grants = new Map<string, Grant>();
  readonly #companies = new Map<string, Limiter>();

  find(key: string): Grant | undefined {
    return this.#grants.get(key);
  }

  /** Creates or changes a key and its workspace; answers undefined when `sharesWorkspaceOf` is an unknown key. */
  put(patch: WorkspacePatch): Grant | undefined {
    const { key, permissions, revoked, sharesWorkspaceOf, ...settings } = patch;
    const known = this.#grants.get(key);
    const shared = sharesWorkspaceOf === undefined ? undefined : this.#grants.get(sharesWorkspaceOf);
    if (sharesWorkspaceOf !== undefined && shared === undefined) return undefined;
    const grant: Grant = {
      workspace: shared?.workspace ?? known?.workspace ?? new Workspace(),
      permissions: permissions ? new Set(permissions) : (known?.permissions ?? new Set(defaultPermissions)),
      revoked: revoked ?? known?.revoked ?? false,
    };
    grant.workspace.update(settings);
    this.#grants.set(key, grant);
    return grant;
  }

  /** Forgets every key, workspace and fault. */
  clear(): void {
    for (const grant of this.#grants.values()) grant.workspace.reset();
    this.#grants.clear();
    this.#companies.clear();
    this.faults.clear();
  }

  limiterOf(workspace: Workspace): Limiter {
    const { company } = workspace.settings;
    if (company === null) return workspace.ownLimiter;
    const limiter = this.#companies.get(company) ?? new Limiter();
    this.#companies.set(company, limiter);
    return limiter;
  }
}
