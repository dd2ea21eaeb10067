import { useId, type ReactNode } from "react";

/** What ties a control to its label, its help and what is wrong with it. */
interface ControlProps {
  id: string;
  name: string;
  "aria-invalid": true | undefined;
  "aria-describedby": string | undefined;
}

interface FieldProps {
  label: string;
  name: string;
  help?: ReactNode;
  error?: string | undefined;
  isRequired?: boolean;
  children: (props: ControlProps) => ReactNode;
}

export function Field({ label, name, help, error, isRequired, children }: FieldProps) {
  const id = useId();
  const [helpId, errorId] = [`${id}-help`, `${id}-error`];
  const describedBy = [error && errorId, help && helpId].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {isRequired && <span className="muted"> (required)</span>}
      </label>
      {children({
        id,
        name,
        "aria-invalid": error ? true : undefined,
        "aria-describedby": describedBy || undefined,
      })}
      {error && (
        <small id={errorId} className="problem">
          {error}
        </small>
      )}
      {help && <small id={helpId}>{help}</small>}
    </div>
  );
}
