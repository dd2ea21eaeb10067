import { brazeInstances } from "../../../src/contracts/braze-instances.ts";
import {
  defaultOptions,
  maskedKey,
  type ConnectorOptions,
} from "../../../src/contracts/connector-defaults.ts";
import type { ConnectorView } from "../api/wire.ts";

/** A connector's settings as a form holds them: text, as it was typed. */
export interface FormValues {
  segment: string;
  /** The name of one of Braze's instances; `typed` for an address of one's own, "" for none yet. */
  instance: string;
  typedEndpoint: string;
  apiKey: string;
  segmentId: string;
  options: Record<keyof ConnectorOptions, string>;
}

/** An instance's choice that is none: the address is typed. */
export const typed = "typed";

const optionNames = Object.keys(defaultOptions(1)) as (keyof ConnectorOptions)[];

export const emptyValues: FormValues = {
  segment: "",
  instance: "",
  typedEndpoint: "",
  apiKey: "",
  segmentId: "",
  options: optionTexts({}),
};

export function valuesOf({ segment, config }: ConnectorView): FormValues {
  const instance = Object.keys(brazeInstances).find((name) => endpointOf(name) === config.rest_endpoint);
  return {
    segment: String(segment),
    instance: instance ?? typed,
    typedEndpoint: instance ? "" : config.rest_endpoint,
    apiKey: "",
    segmentId: config.segment_id ?? "",
    options: optionTexts(config),
  };
}

/** The config to create a connector with: what was left empty is left out, for the gateway to fill in or to ask for. */
export function newConfig(values: FormValues): Record<string, unknown> {
  return Object.fromEntries(fields(values).filter(([, value]) => value !== ""));
}

/** What a person changed since the form was opened. Emptied means: back to the default; an empty key: the stored one stays. */
export function changedConfig(values: FormValues, opened: FormValues): Record<string, unknown> {
  const before = new Map(fields(opened));
  const changed = fields(values).filter(([name, value]) => value !== before.get(name));
  return Object.fromEntries(changed.map(([name, value]) => [name, value === "" ? null : value]));
}

export function endpointOf(instance: string): string {
  return `https://${brazeInstances[instance] ?? ""}`;
}

function fields(values: FormValues): [name: string, value: unknown][] {
  const { instance, typedEndpoint, apiKey, segmentId, options } = values;
  const endpoint = instance === typed ? typedEndpoint.trim() : instance && endpointOf(instance);
  const given = optionNames.map((name): [string, unknown] => [name, optionValue(name, options[name])]);
  return [
    ["rest_endpoint", endpoint],
    ["api_key", apiKey.trim() === maskedKey ? "" : apiKey.trim()],
    ["segment_id", segmentId.trim()],
    ...given,
  ];
}

/** In the field's own type; what does not read as that stays text, for the gateway to refuse in its own words. */
function optionValue(name: keyof ConnectorOptions, text: string): unknown {
  const example = defaultOptions(1)[name];
  if (text === "") return "";
  if (typeof example === "boolean") return text === "true";
  if (typeof example === "number" && Number.isFinite(Number(text))) return Number(text);
  return text;
}

function optionTexts(options: Partial<ConnectorOptions>): FormValues["options"] {
  const texts = optionNames.map((name) => [name, String(options[name] ?? "")]);
  return Object.fromEntries(texts) as FormValues["options"];
}
