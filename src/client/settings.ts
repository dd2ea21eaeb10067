import type { JSONWebKeySet } from "jose";
import { sealKey } from "../braze/sealed-key.ts";
import {
  configChangeSchema,
  fieldIssues,
  issueWords,
  maskedKey,
  sealedKeySchema,
  type ConfigChange,
  type FieldIssue,
} from "../contracts/connector-config.ts";
import { connectorWorkflowId, type ConnectorKey } from "../contracts/connector-id.ts";
import { CodedError } from "../contracts/errors.ts";

/**
 * Checks settings before anything is sent. Every field at fault is named with its reason, without its value.
 * `isNew`: there is nothing stored, so the endpoint and the key are required. Error: `config_invalid`.
 */
export function checkSettings(
  settings: ConfigChange,
  { isNew, allowedOrigins }: { isNew: boolean; allowedOrigins: readonly string[] },
): void {
  const { api_key, ...others } = settings;
  // The schema's words for a null endpoint are those for a missing one.
  const required = isNew ? { rest_endpoint: others.rest_endpoint ?? null } : {};
  const parsed = configChangeSchema(allowedOrigins).safeParse({ ...others, ...required });
  const issues = [...(parsed.success ? [] : fieldIssues(parsed.error)), ...keyIssues(api_key, isNew)];
  if (issues.length > 0) {
    throw new CodedError("config_invalid", issueWords(issues));
  }
}

function keyIssues(apiKey: unknown, isNew: boolean): FieldIssue[] {
  const issue = (message: string) => [{ field: "api_key", message }];
  if (apiKey === undefined || apiKey === maskedKey) {
    return isNew ? issue("is required: a Braze REST API key with users.track") : [];
  }
  if (apiKey === null) return issue("cannot be unset; leave it out to keep the stored key");
  if (typeof apiKey !== "string" || apiKey === "") return issue("must be a Braze REST API key");
  return /^[\x21-\x7e]+$/.test(apiKey) ? [] : issue("must be one word of visible ASCII characters");
}

/** The settings with the key sealed for this connector and host. One that is sealed already, masked or left out stays as it is. */
export async function sealSettings(
  key: ConnectorKey,
  settings: ConfigChange,
  restEndpoint: string,
  sealingKeys: JSONWebKeySet | undefined,
): Promise<ConfigChange> {
  const { api_key } = settings;
  if (api_key === undefined || api_key === maskedKey || sealedKeySchema.safeParse(api_key).success) {
    return settings;
  }
  if (!sealingKeys) {
    throw new CodedError(
      "config_invalid",
      "api_key: cannot be sealed without the workers' public sealing keys",
    );
  }
  const sealedFor = { connector: connectorWorkflowId(key), host: new URL(restEndpoint).host };
  return { ...settings, api_key: await sealKey(api_key, sealedFor, sealingKeys) };
}
