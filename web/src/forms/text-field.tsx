import { Field } from "./field.tsx";

interface TextFieldProps {
  label: string;
  name: string;
  help: string;
  error: string | undefined;
  value: string;
  onChange: (value: string) => void;
  isRequired?: boolean;
  type?: "text" | "password" | "url";
  inputMode?: "text" | "numeric";
  placeholder?: string;
}

/** A field of one line. Nothing is remembered for it or spelled for it: these are ids and keys. */
export function TextField(props: TextFieldProps) {
  const { value, onChange, type = "text", inputMode, placeholder, ...field } = props;
  return (
    <Field {...field}>
      {(control) => (
        <input
          {...control}
          type={type}
          inputMode={inputMode}
          placeholder={placeholder}
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    </Field>
  );
}
