import { CodedError, errorTable } from "../contracts/errors.ts";
import type { PartProgress } from "../contracts/run.ts";

/** Why a part stopped before its end, with how far it had come when everything in flight was settled. */
export class PartFailure extends CodedError {
  readonly progress: PartProgress;

  constructor(error: CodedError, progress: PartProgress) {
    super(error.code, error.detail, { cause: error.cause, retryAfterMs: error.retryAfterMs });
    this.name = "PartFailure";
    this.progress = progress;
  }
}

/** Anything thrown, with a code. */
export function asCoded(error: unknown): CodedError {
  return error instanceof CodedError ? error : new CodedError("unexpected", "", { cause: error });
}

/** Of two failures of one part the first is told, unless only the second needs a person. */
export function graver(first: CodedError | undefined, second: CodedError): CodedError {
  return first && (stops(first) || !stops(second)) ? first : second;
}

function stops({ code }: CodedError): boolean {
  return errorTable[code].kind === "stop";
}
