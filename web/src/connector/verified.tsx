import { errorTable, isErrorCode } from "../../../src/contracts/errors.ts";
import type { Verification } from "../../../src/contracts/log.ts";
import { skippedReason } from "../../../src/contracts/view.ts";
import { formatCount, formatUsers } from "../ui/text.ts";

/** What a run that read users back from Braze found there, and why it did not read all that it meant to. */
export function Verified({ verification: { checked, wrong, skipped } }: { verification: Verification }) {
  return (
    <small className={`verified ${wrong > 0 ? "problem" : "muted"}`}>
      {checked > 0 && `${formatUsers(checked)} read back, ${wrong === 0 ? "none" : formatCount(wrong)} wrong`}
      {checked > 0 && skipped !== null && "; "}
      {skipped !== null && `${checked > 0 ? "not all" : "none read back"}: ${reasonOf(skipped)}`}
    </small>
  );
}

function reasonOf(code: string): string {
  return skippedReason(code) ?? (isErrorCode(code) ? errorTable[code].message : code);
}
