// Which updates a connector takes. Synchronous, as the SDK wants it: a refused update leaves nothing in the history.
import { ApplicationFailure } from "@temporalio/workflow";
import {
  configChangeSchema,
  fieldIssues,
  issueWords,
  type ConfigChange,
  type FieldIssue,
} from "../contracts/connector-config.ts";
import type { ConfigureOptions } from "../contracts/connector-messages.ts";
import { errorMessage } from "../contracts/errors.ts";
import { maxVerifySampleUsers, verifySampleUsers } from "../contracts/run.ts";

/** Strict in its options too: a misspelt `create` would overwrite a connector. */
export function validateConfigure(change: ConfigChange, options?: ConfigureOptions | null): void {
  if (!isFlagAlone("create", options))
    throw invalid("configure takes {create} beside the settings, which must be true or false");
  const parsed = configChangeSchema().safeParse(change);
  if (parsed.success) return;
  const issues = fieldIssues(parsed.error);
  throw invalid(issueWords(issues), issues);
}

export function validateApproval(approval: { digest: string }): void {
  if (/^[0-9a-f]{64}$/.test(approval?.digest)) return;
  throw invalid("digest: must be the 64 hex digits that the connector shows as pending_removal");
}

/** Strict: a misspelt `sample` would be read as none. */
export function validateVerify(options?: { sample?: number } | null): void {
  const { sample = verifySampleUsers, ...others } = options ?? {};
  const isInRange = Number.isInteger(sample) && sample >= 1 && sample <= maxVerifySampleUsers;
  if (isPlain(options) && Object.keys(others).length === 0 && isInRange) return;
  throw invalid(`verify takes {sample}, which must be a whole number from 1 to ${maxVerifySampleUsers}`);
}

/** Strict: a misspelt `cleanup` would leave everyone in Braze. */
export function validateRemove(options?: { cleanup?: boolean } | null): void {
  if (isFlagAlone("cleanup", options)) return;
  throw invalid("remove takes {cleanup}, which must be true or false");
}

/** Nothing at all, or an object of this one flag. */
function isFlagAlone(flag: string, options: object | null | undefined): boolean {
  const isFlag = ([name, value]: [string, unknown]) =>
    name === flag && (value === undefined || typeof value === "boolean");
  return isPlain(options) && Object.entries(options ?? {}).every(isFlag);
}

function isPlain(options: unknown): boolean {
  return typeof (options ?? {}) === "object" && !Array.isArray(options);
}

function invalid(detail: string, issues?: FieldIssue[]): ApplicationFailure {
  return ApplicationFailure.create({
    type: "config_invalid",
    message: errorMessage("config_invalid", detail),
    nonRetryable: true,
    ...(issues ? { details: [issues] } : {}),
  });
}
