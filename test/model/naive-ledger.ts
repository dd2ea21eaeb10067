import type { Ledger, LedgerPlan, PartFate } from "./ledger-rules.ts";

/** The ledger that first comes to mind: what was sent counts as applied, what died counts as never sent, nobody is an exception. */
export function settleNaively(before: Ledger, plan: LedgerPlan, fates: readonly PartFate[]): Ledger {
  const base = new Set(before.base);
  for (const [index, { direction, users }] of plan.parts.entries()) {
    const fate = fates[index] ?? "not started";
    const sent = typeof fate === "string" ? 0 : Math.max(fate.cursor, fate.attempted);
    for (const [id] of users.slice(0, sent)) {
      if (direction === "entered") base.add(id);
      else base.delete(id);
    }
  }
  return { base, exceptions: new Map() };
}
