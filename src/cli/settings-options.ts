import type { Command } from "commander";
import type { ConnectorSettings } from "../client.ts";
import { defaultOptions } from "../contracts/connector-config.ts";
import { readApiKey } from "./api-key-file.ts";
import { UsageError } from "./failure.ts";

export interface SettingsOptions {
  restEndpoint?: string;
  apiKeyFile?: string;
  segmentId?: string;
  set?: string[];
  unset?: string[];
}

export function addSettingsOptions(command: Command): Command {
  const names = Object.keys(defaultOptions(1)).join(", ");
  return command
    .option("--rest-endpoint <url>", "Braze's REST endpoint, such as https://rest.iad-01.braze.com")
    .option("--api-key-file <file>", "file with the Braze REST API key, - for standard input")
    .option("--segment-id <id>", "id of the subscription group to keep in step too")
    .option("--set <name=value...>", `set ${names}`);
}

/** The settings as given on the command line; whether they are right is the client's to say. */
export async function settingsFrom(options: SettingsOptions): Promise<ConnectorSettings> {
  const { restEndpoint, apiKeyFile, segmentId, set = [], unset = [] } = options;
  const given: [string, unknown][] = [
    ...set.map(parseSetting),
    ...unset.map((name): [string, null] => [name, null]),
    ...(restEndpoint === undefined ? [] : [["rest_endpoint", restEndpoint] as [string, string]]),
    ...(segmentId === undefined ? [] : [["segment_id", segmentId] as [string, string]]),
  ];
  const names = given.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`${twice} is given twice`);
  const key = apiKeyFile === undefined ? {} : { api_key: await readApiKey(apiKeyFile) };
  return { ...Object.fromEntries(given), ...key };
}

/** Never repeats what was given: somebody may have put a key there. */
function parseSetting(text: string): [string, unknown] {
  const at = text.indexOf("=");
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1) throw new UsageError("--set wants name=value, such as --set batch_size=50");
  if (name === "api_key")
    throw new UsageError("a key is never given on the command line: use --api-key-file");
  return [name, typedValue(name, value)];
}

/** A word where the field is a word; what is not what the field wants stays text, for the schema to refuse in its own words. */
function typedValue(name: string, value: string): string | number | boolean {
  const example = (defaultOptions(1) as Record<string, unknown>)[name];
  if (typeof example === "number" && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  if (typeof example === "boolean" && (value === "true" || value === "false")) return value === "true";
  return value;
}
