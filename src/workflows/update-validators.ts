// Which updates a connector takes. Synchronous, as the SDK wants it: a refused update leaves nothing in the history.
import { ApplicationFailure } from "@temporalio/workflow";
import { configChangeSchema, fieldIssues, type ConfigChange } from "../contracts/connector-config.ts";
import type { ConfigureOptions } from "../contracts/connector-messages.ts";
import { errorMessage } from "../contracts/errors.ts";
import { maxVerifySampleUsers, verifySampleUsers } from "../contracts/run.ts";

/** Strict in its options too: a misspelt `create` would overwrite a connector. */
export function validateConfigure(change: ConfigChange, options?: ConfigureOptions | null): void {
  if (!isFlagAlone("create", options)) {
    throw ApplicationFailure.nonRetryable(
      errorMessage(
        "config_invalid",
        "configure takes {create} beside the settings, which must be true or false",
      ),
      "config_invalid",
    );
  }
  const parsed = configChangeSchema().safeParse(change);
  if (parsed.success) return;
  const issues = fieldIssues(parsed.error);
  const message = errorMessage(
    "config_invalid",
    issues.map((issue) => `${issue.field}: ${issue.message}`).join("; "),
  );
  throw ApplicationFailure.create({ type: "config_invalid", message, nonRetryable: true, details: [issues] });
}

export function validateApproval(approval: { digest: string }): void {
  if (/^[0-9a-f]{64}$/.test(approval?.digest)) return;
  throw ApplicationFailure.nonRetryable(
    errorMessage(
      "config_invalid",
      "digest: must be the 64 hex digits that the connector shows as pending_removal",
    ),
    "config_invalid",
  );
}

/** Strict: a misspelt `sample` would be read as none. */
export function validateVerify(options?: { sample?: number } | null): void {
  const { sample = verifySampleUsers, ...others } = options ?? {};
  const isPlain = typeof (options ?? {}) === "object" && !Array.isArray(options);
  const isInRange = Number.isInteger(sample) && sample >= 1 && sample <= maxVerifySampleUsers;
  if (isPlain && Object.keys(others).length === 0 && isInRange) return;
  throw ApplicationFailure.nonRetryable(
    errorMessage(
      "config_invalid",
      `verify takes {sample}, which must be a whole number from 1 to ${maxVerifySampleUsers}`,
    ),
    "config_invalid",
  );
}

/** Strict: a misspelt `cleanup` would leave everyone in Braze. */
export function validateRemove(options?: { cleanup?: boolean } | null): void {
  if (isFlagAlone("cleanup", options)) return;
  throw ApplicationFailure.nonRetryable(
    errorMessage("config_invalid", "remove takes {cleanup}, which must be true or false"),
    "config_invalid",
  );
}

/** Nothing at all, or an object of this one flag. */
function isFlagAlone(flag: string, options: unknown): boolean {
  const given: unknown = options ?? {};
  if (typeof given !== "object" || given === null || Array.isArray(given)) return false;
  return Object.entries(given).every(
    ([name, value]) => name === flag && (value === undefined || typeof value === "boolean"),
  );
}
