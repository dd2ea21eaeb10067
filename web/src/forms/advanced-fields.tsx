import { defaultOptions, type ConnectorOptions } from "../../../src/contracts/connector-defaults.ts";
import { ChoiceField } from "./choice-field.tsx";
import type { FieldsProps } from "./connector-form.tsx";
import { TextField } from "./text-field.tsx";

interface Setting {
  name: keyof ConnectorOptions;
  label: string;
  help: string;
  /** Of a choice: each value with what it means. Without it, the setting is typed. */
  choices?: Record<string, string>;
}

const settings: readonly Setting[] = [
  {
    name: "attribute_name",
    label: "Attribute name",
    help: "The custom attribute that Braze shows as true for every member.",
  },
  {
    name: "exit_mode",
    label: "When a user leaves",
    help: "Filters in Braze tell “false” and “not set” apart.",
    choices: { remove: "remove the attribute", set_false: "set the attribute to false" },
  },
  {
    name: "create_missing_users",
    label: "Users whom Braze does not know",
    help: "Those who leave are never created.",
    choices: { true: "create them when they enter", false: "leave them out" },
  },
  {
    name: "max_removal_percent",
    label: "Hold removals above (percent)",
    help: "Of the audience. A recompute that would remove more waits for a person.",
  },
  {
    name: "requests_per_second",
    label: "Requests per second, at most",
    help: "Sending slows down by itself where Braze asks for it.",
  },
  { name: "batch_size", label: "Users per request", help: "Braze takes at most 75." },
];

/** Left empty, each is at its default. */
export function AdvancedFields({ values, errors, onChange }: FieldsProps) {
  const defaults = defaultOptions(Number(values.segment) || 7);
  return settings.map(({ name, choices, ...texts }) => {
    const preset = String(defaults[name]);
    const field = {
      ...texts,
      name,
      error: errors[name],
      value: values.options[name],
      onChange: (text: string) => onChange({ options: { ...values.options, [name]: text } }),
    };
    if (choices) {
      const unset = ["", `Default: ${choices[preset] ?? preset}`] as const;
      return <ChoiceField key={name} {...field} choices={[unset, ...Object.entries(choices)]} />;
    }
    const inputMode = typeof defaults[name] === "number" ? "numeric" : "text";
    return <TextField key={name} {...field} inputMode={inputMode} placeholder={`Default: ${preset}`} />;
  });
}

export function isAdvanced(name: string): boolean {
  return settings.some((setting) => setting.name === name);
}
