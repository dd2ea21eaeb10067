import { Field } from "./field.tsx";

interface ChoiceFieldProps {
  label: string;
  name: string;
  help?: string;
  error: string | undefined;
  isRequired?: boolean;
  value: string;
  /** Value and what it says, in order. */
  choices: readonly (readonly [value: string, text: string])[];
  onChange: (value: string) => void;
}

export function ChoiceField({ value, choices, onChange, ...field }: ChoiceFieldProps) {
  return (
    <Field {...field}>
      {(control) => (
        <select {...control} value={value} onChange={({ target }) => onChange(target.value)}>
          {choices.map(([choice, text]) => (
            <option key={choice} value={choice}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
