import { brazeInstances } from "../../../src/contracts/braze-instances.ts";
import { ChoiceField } from "./choice-field.tsx";
import type { FieldsProps } from "./connector-form.tsx";
import { TextField } from "./text-field.tsx";
import { endpointOf, typed } from "./values.ts";

const choices = [
  ["", "Choose an instance"],
  ...Object.keys(brazeInstances).map((name) => [name, `${name}: ${endpointOf(name)}`] as const),
  [typed, "Another address …"],
] as const;

/** Braze's instances by name; or an address that is typed, for instances that came after this release. */
export function EndpointField({ values, errors, onChange }: FieldsProps) {
  const isTyped = values.instance === typed;
  const error = errors["rest_endpoint"];
  return (
    <>
      <ChoiceField
        label="REST endpoint"
        name="rest_endpoint"
        isRequired
        error={isTyped ? undefined : error}
        help="That of your Braze instance: its number is in the address of your dashboard."
        choices={choices}
        value={values.instance}
        onChange={(instance) => onChange({ instance })}
      />
      {isTyped && (
        <TextField
          label="Address of the REST endpoint"
          name="rest_endpoint"
          isRequired
          error={error}
          help="With https:// and nothing after the host."
          type="url"
          placeholder="https://rest.iad-01.braze.com"
          value={values.typedEndpoint}
          onChange={(typedEndpoint) => onChange({ typedEndpoint })}
        />
      )}
    </>
  );
}
