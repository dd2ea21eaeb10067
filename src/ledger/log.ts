import type { ZodType } from "zod";
import { CodedError } from "../contracts/errors.ts";
import type { ConnectorKey } from "../contracts/connector-id.ts";
import {
  commitKey,
  commitSchema,
  configEntrySchema,
  configKey,
  connectorFolder,
  planKey,
  planSchema,
} from "../contracts/log.ts";
import type { Commit, ConfigEntry, Plan } from "../contracts/log.ts";
import type { RunScope } from "../contracts/run.ts";
import { parseJson } from "../storage/json.ts";
import type { Storage } from "../storage/storage.ts";

/** The newest run in a log: 0 where there was none. */
export interface LogEnd {
  lastNumber: number;
  plan?: Plan;
  commit?: Commit;
  /** It has a plan and no commit. */
  open: boolean;
}

/** One run as the log has it. A run without a plan had nothing to send, or failed before it. */
export interface LoggedRun {
  number: number;
  plan?: Plan;
  commit?: Commit;
}

/** Plans never change once they are written, and the delivery of each part asks for its own. */
const rememberedPlans = 32;
const plansOf = new WeakMap<Storage, Map<string, Plan>>();

/**
 * One connector's log in storage: the truth about its runs and settings. Entries are only ever created, and creating one is
 * the fence between two writers. Every method throws `log_unreadable` (with the key) for an entry that cannot be read, and
 * `storage_unavailable`.
 */
export class ConnectorLog {
  readonly #storage: Storage;
  readonly #folder: string;
  readonly #plans: Map<string, Plan>;

  constructor(storage: Storage, key: ConnectorKey) {
    this.#storage = storage;
    this.#folder = connectorFolder(key);
    this.#plans = plansOf.get(storage) ?? new Map();
    plansOf.set(storage, this.#plans);
  }

  async latestConfig(): Promise<ConfigEntry | undefined> {
    const last = await this.#lastNumber("config/");
    return last === 0 ? undefined : this.config(last);
  }

  async config(number: number): Promise<ConfigEntry | undefined> {
    return this.#read(configKey(this.#folder, number), configEntrySchema, number);
  }

  /** `taken`: that number is another change's. The same change (by `change_id`) is created once, however often it is written. */
  async writeConfig(entry: ConfigEntry): Promise<"created" | "taken"> {
    const created = await this.#create(configKey(this.#folder, entry.number), entry);
    if (created) return "created";
    const there = await this.config(entry.number);
    return there?.change_id === entry.change_id ? "created" : "taken";
  }

  async end(): Promise<LogEnd> {
    const lastNumber = await this.#lastNumber("log/");
    if (lastNumber === 0) return { lastNumber, open: false };
    const [plan, commit] = [await this.plan(lastNumber), await this.commit(lastNumber)];
    return {
      lastNumber,
      ...(plan ? { plan } : {}),
      ...(commit ? { commit } : {}),
      open: commit === undefined,
    };
  }

  async plan(number: number): Promise<Plan | undefined> {
    const key = planKey(this.#folder, number);
    const known = this.#plans.get(key);
    if (known) return known;
    const plan = await this.#read(key, planSchema, number);
    if (!plan) return undefined;
    const oldest = this.#plans.keys().next();
    if (this.#plans.size >= rememberedPlans && !oldest.done) this.#plans.delete(oldest.value);
    this.#plans.set(key, plan);
    return plan;
  }

  async commit(number: number): Promise<Commit | undefined> {
    return this.#read(commitKey(this.#folder, number), commitSchema, number);
  }

  /**
   * The commit that run `number` stands on; undefined for the first run. Where it is not there although the run has a
   * number: `log_unreadable`, because a missing ledger is not an empty one.
   */
  async commitBefore(number: number): Promise<Commit | undefined> {
    if (number <= 1) return undefined;
    const commit = await this.commit(number - 1);
    if (!commit) throw new CodedError("log_unreadable", commitKey(this.#folder, number - 1));
    return commit;
  }

  /**
   * Opens run `plan.number`, or answers `taken` where the number is another run's, or closed. `mine` also where this
   * workflow run wrote it before: then the plan in the log counts, not the one given.
   */
  async putPlan(plan: Plan): Promise<"mine" | "taken"> {
    await this.commitBefore(plan.number);
    if (await this.commit(plan.number)) return "taken";
    await this.#create(planKey(this.#folder, plan.number), plan);
    const written = await this.plan(plan.number);
    const mine = written !== undefined && isWrittenBy(written, plan);
    // Somebody may have closed the run between the look above and the plan.
    return mine && !(await this.commit(plan.number)) ? "mine" : "taken";
  }

  /** Closes run `commit.number`, and answers what closed it: this commit, or that of whoever was first. */
  async putCommit(commit: Commit): Promise<{ by: "mine" | "another"; commit: Commit }> {
    await this.commitBefore(commit.number);
    await this.#create(commitKey(this.#folder, commit.number), commit);
    const written = (await this.commit(commit.number)) ?? commit;
    return { by: isWrittenBy(written, commit) ? "mine" : "another", commit: written };
  }

  /** Whether this very run's plan is in the log and nobody has closed it. Asked before each part is sent. */
  async isOpen(scope: RunScope): Promise<boolean> {
    const plan = await this.plan(scope.number);
    if (!plan || !isWrittenBy(plan, { workflow_id: scope.workflowId, run_id: scope.runId })) return false;
    return (await this.#storage.get(commitKey(this.#folder, scope.number))) === undefined;
  }

  /** Runs, newest first, from below `before` where it is given. */
  async runs({ limit, before }: { limit: number; before?: number | undefined }): Promise<LoggedRun[]> {
    const newest = Math.min(await this.#lastNumber("log/"), (before ?? Infinity) - 1);
    const runs: LoggedRun[] = [];
    for (let number = newest; number > 0 && runs.length < limit; number -= 1) {
      const [plan, commit] = [await this.plan(number), await this.commit(number)];
      runs.push({ number, ...(plan ? { plan } : {}), ...(commit ? { commit } : {}) });
    }
    return runs;
  }

  /** Names sort as numbers do. A list, and no search by halves: that would take a hole in a damaged log for its end. */
  async #lastNumber(folder: string): Promise<number> {
    let last = 0;
    for await (const key of this.#storage.list(this.#folder + folder)) {
      last = Number(/\/(\d{12})\.[a-z.]+$/.exec(key)?.[1] ?? last);
    }
    return last;
  }

  async #create(key: string, entry: Plan | Commit | ConfigEntry): Promise<boolean> {
    return (await this.#storage.putIfAbsent(key, `${JSON.stringify(entry, undefined, 1)}\n`)) === "created";
  }

  async #read<Entry extends { number: number }>(
    key: string,
    schema: ZodType<Entry>,
    number: number,
  ): Promise<Entry | undefined> {
    const bytes = await this.#storage.get(key);
    if (!bytes) return undefined;
    const parsed = schema.safeParse(parseJson(bytes));
    if (!parsed.success || parsed.data.number !== number) throw new CodedError("log_unreadable", key);
    return parsed.data;
  }
}

function isWrittenBy(entry: Plan | Commit, writer: Pick<Plan, "workflow_id" | "run_id">): boolean {
  return entry.workflow_id === writer.workflow_id && entry.run_id === writer.run_id;
}
