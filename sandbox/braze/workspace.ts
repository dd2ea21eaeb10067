import { ApplyQueue } from "./apply-queue.ts";
import type { ForcedType } from "./attribute-values.ts";
import { Limiter } from "./limits.ts";
import { RequestStats } from "./request-stats.ts";
import { isGroupId } from "./subscription-state.ts";
import type { ApplyTarget } from "./track-apply.ts";
import type { ValidationRules } from "./track-validation.ts";
import { UserTable } from "./user-table.ts";
import { defaultSettings } from "./workspace-settings.ts";
import type { WorkspacePatch, WorkspaceSettings } from "./workspace-settings.ts";
import { WriteRecord } from "./write-record.ts";

/** An accepted track request, known by its digest alone. `at` in epoch ms. */
export interface RecordedBody {
  seq: number;
  sha256: string;
  objects: number;
  at: number;
}

/** One Braze workspace: its people, its behaviour and what happened to it. */
export class Workspace implements ApplyTarget, ValidationRules {
  settings: WorkspaceSettings = defaultSettings;
  users = new UserTable();
  stats = new RequestStats();
  writes = new WriteRecord();
  bodies: RecordedBody[] = [];
  readonly queue = new ApplyQueue(defaultSettings);
  readonly ownLimiter = new Limiter();
  blockedIds: ReadonlySet<string> = new Set();
  blocklisted: ReadonlySet<string> = new Set();
  forcedTypes: ReadonlyMap<string, ForcedType> = new Map();
  #knownGroups: ReadonlySet<string> | null = null;
  #requests = 0;

  /** Changes the settings named in the patch, for what is pending too. */
  update(patch: Partial<WorkspaceSettings> & Pick<WorkspacePatch, "unblock">): void {
    const { unblock = [], ...changes } = patch;
    this.settings = { ...this.settings, ...changes };
    this.blockedIds = new Set(this.settings.blockedIds.filter((id) => !unblock.includes(id)));
    this.settings.blockedIds = [...this.blockedIds];
    this.blocklisted = new Set(this.settings.blocklistedAttributes);
    this.forcedTypes = new Map(Object.entries(this.settings.forcedTypes));
    this.#knownGroups = this.settings.subscriptionGroups && new Set(this.settings.subscriptionGroups);
    this.queue.retime(this.settings);
  }

  /** Forgets people and history; the settings stay. */
  reset(): void {
    this.queue.clear();
    this.users = new UserTable();
    this.stats = new RequestStats();
    this.writes = new WriteRecord();
    this.bodies = [];
  }

  isKnownGroup(id: string): boolean {
    return isGroupId(id, this.#knownGroups);
  }

  nextRequestId(): number {
    return ++this.#requests;
  }

  note(user: string, attribute: string, value: RecordedValue, requestId: number, at: number): void {
    if (this.settings.recordWrites) this.writes.add(user, attribute, value, requestId, at);
  }
}

type RecordedValue = Parameters<WriteRecord["add"]>[2];
