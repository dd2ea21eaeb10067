import type { Column } from "./column.ts";
import type { JsonValue } from "./json.ts";

interface Pending {
  requestId: number;
  before: Map<Column, JsonValue | undefined>;
}

/**
 * The hazard Braze documents for simultaneous updates: both read the old profile, so the later one wipes what the
 * earlier wrote. One journal serves the requests that are applied together.
 */
export class LostUpdateJournal {
  readonly #users = new Map<number, Pending>();

  /** A request begins to write a user: what another request of this journal wrote to the user is undone. */
  begin(user: number, requestId: number): void {
    const pending = this.#users.get(user);
    if (pending === undefined) {
      this.#users.set(user, { requestId, before: new Map() });
    } else if (pending.requestId !== requestId) {
      for (const [column, value] of pending.before) {
        if (value === undefined) column.delete(user);
        else column.set(user, value);
      }
      this.#users.set(user, { requestId, before: new Map() });
    }
  }

  /** Call before a column of the user is written. */
  note(user: number, column: Column): void {
    const before = this.#users.get(user)?.before;
    if (before !== undefined && !before.has(column)) before.set(column, column.get(user));
  }
}
