import { emptyLedger } from "./ledger-rules.ts";
import type { ClosedRun, Ledger, LedgerPlan } from "./ledger-rules.ts";

/** Who writes an entry: one run of one instance. */
export interface Owner {
  name: string;
}

interface Entry {
  plan?: { owner: Owner; plan: LedgerPlan };
  commit?: { owner: Owner; at: string; ledger: Ledger };
}

/** A connector's log: each entry is created once, and that creation is the fence. */
export class RunLog {
  readonly #entries: Entry[] = [];
  /** Runs that were planned and committed, oldest first. */
  readonly closed: ClosedRun[] = [];

  /** The newest run's number, 0 where there was none; open: it has a plan and no commit. */
  end(): { number: number; open: boolean } {
    const number = this.#entries.length;
    return { number, open: number > 0 && this.#entry(number).commit === undefined };
  }

  plan(number: number): LedgerPlan | undefined {
    return this.#entries[number - 1]?.plan?.plan;
  }

  ledgerBefore(number: number): Ledger {
    return this.#entries[number - 2]?.commit?.ledger ?? emptyLedger;
  }

  putPlan(number: number, owner: Owner, plan: LedgerPlan): "mine" | "taken" {
    const entry = this.#entry(number);
    if (entry.commit) return "taken";
    entry.plan ??= { owner, plan };
    return entry.plan.owner === owner ? "mine" : "taken";
  }

  putCommit(number: number, owner: Owner, commit: { at: string; ledger: Ledger }): "mine" | "another" {
    const entry = this.#entry(number);
    if (entry.commit) return entry.commit.owner === owner ? "mine" : "another";
    entry.commit = { owner, ...commit };
    if (entry.plan) this.closed.push({ ...commit, plan: entry.plan.plan });
    return "mine";
  }

  isOpen(number: number, owner: Owner): boolean {
    const entry = this.#entries[number - 1];
    return entry?.plan?.owner === owner && entry.commit === undefined;
  }

  /** A run needs the commit of the one before it. */
  #entry(number: number): Entry {
    if (number > 1 && !this.#entries[number - 2]?.commit) throw new Error(`run ${number - 1} is not closed`);
    return (this.#entries[number - 1] ??= {});
  }
}
