import type { ExplainedChannel, UserState } from "../../../src/contracts/explain.ts";
import { errorTable, isErrorCode } from "../../../src/contracts/errors.ts";

/** A timeline's words for a person. */

const states: Record<UserState["state"], string> = {
  present: "Braze shows the user as a member",
  absent: "Braze does not show the user as a member",
  unknown: "it is not known what Braze shows; the next run writes the user",
};

/** Why a user's state differs from the segment, or is not known. Anything else is the code of a rejection. */
const reasons: Record<string, string> = {
  unanswered: "a request was never answered",
  not_sent: "a run ended before it came to this user",
  abandoned: "a run ended without reporting",
  quiet: "written so lately that it waits",
  held: "the exit waits for a person",
};

export function stateWords({ state, reason, attempts }: UserState): string {
  if (reason === null) return states[state];
  const times = attempts > 1 ? `, ${attempts} times in a row` : "";
  return `${states[state]}: ${reasonWords(reason)}${times}`;
}

function reasonWords(reason: string): string {
  return reasons[reason] ?? (isErrorCode(reason) ? errorTable[reason].message : reason);
}

/** What a run did about the user in one channel. */
export function becameWords({ planned, became, reason }: ExplainedChannel): string {
  const why = reason === null ? "" : `: ${reasonWords(reason)}`;
  switch (became) {
    case null:
      return planned === null
        ? "nothing was to be done"
        : `${plans[planned]}; what became of it is not known any more`;
    case "settled":
      return planned === "exited"
        ? "taken out; Braze acknowledged it"
        : "written as a member; Braze acknowledged it";
    case "rejected":
      return `not taken by Braze${why}`;
    case "unknown":
      return "perhaps sent, never answered";
    case "quiet":
      return "written so lately that it waits for a later run";
    case "held":
      return "the exit is held for a person";
    case "not_sent":
      return `${planned === null ? "to be written" : plans[planned]}; the run ended before`;
    case "in_progress":
      return `${planned === null ? "to be written" : plans[planned]}; the run is under way`;
  }
}

const plans = { entered: "to be written as a member", exited: "to be taken out" };
