import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { ApiError, type FieldErrors } from "../api/call.ts";
import { AdvancedFields, isAdvanced } from "./advanced-fields.tsx";
import { ChoiceField } from "./choice-field.tsx";
import { EndpointField } from "./endpoint-field.tsx";
import { KeyAndGroupFields } from "./key-and-group-fields.tsx";
import { TextField } from "./text-field.tsx";
import type { FormValues } from "./values.ts";

export interface FieldsProps {
  values: FormValues;
  errors: FieldErrors;
  onChange: (changed: Partial<FormValues>) => void;
}

interface ConnectorFormProps {
  initial: FormValues;
  /** A new connector also says which segment; and no key of it is stored yet. */
  isNew: boolean;
  action: string;
  isBusy: boolean;
  error: Error | null;
  onSubmit: (values: FormValues) => void;
  /** Beside the button: the way back. */
  children: ReactNode;
}

/** The one form for a connector's settings. What is wrong is the gateway's to say, and is shown at the field it names. */
export function ConnectorForm(props: ConnectorFormProps) {
  const { initial, isNew, action, isBusy, error, onSubmit, children } = props;
  const [values, setValues] = useState(initial);
  const form = useRef<HTMLFormElement>(null);
  const errors: FieldErrors = error instanceof ApiError ? error.fields : {};
  const onChange = (changed: Partial<FormValues>) => setValues((before) => ({ ...before, ...changed }));
  const fields = { values, errors, onChange };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit(values);
  };
  useEffect(() => {
    if (error) focusFirstProblem(form.current);
  }, [error]);
  return (
    <form ref={form} onSubmit={submit} noValidate>
      {error && (
        <div role="alert" tabIndex={-1} className="notice bad">
          <p>{problemOfAll(error, errors)}</p>
        </div>
      )}
      {isNew && <SegmentFields {...fields} />}
      <EndpointField {...fields} />
      <KeyAndGroupFields {...fields} isNew={isNew} />
      {/* Closed, it could hide what is wrong in it. */}
      <details open={Object.keys(errors).some(isAdvanced) || undefined}>
        <summary>Advanced settings</summary>
        <AdvancedFields {...fields} />
      </details>
      <div className="actions">
        <button type="submit" aria-busy={isBusy} disabled={isBusy}>
          {action}
        </button>
        {children}
      </div>
    </form>
  );
}

function SegmentFields({ values, errors, onChange }: FieldsProps) {
  return (
    <>
      <ChoiceField
        label="Connector type"
        name="connector_type"
        error={errors["connector_type"]}
        choices={[["braze", "Braze"]]}
        value="braze"
        onChange={() => undefined}
      />
      <TextField
        label="Segment"
        name="segment"
        isRequired
        error={errors["segment"]}
        help="Its id in SegOps, a number such as 7."
        inputMode="numeric"
        value={values.segment}
        onChange={(segment) => onChange({ segment })}
      />
    </>
  );
}

const plainFields = ["connector_type", "segment", "rest_endpoint", "api_key", "segment_id"];

/** What is wrong with something that the form has no field for is told above it. */
function problemOfAll(error: Error, errors: FieldErrors): string {
  const others = Object.entries(errors).filter(([name]) => !plainFields.includes(name) && !isAdvanced(name));
  return [error.message, ...others.map(([name, problem]) => `${name}: ${problem}`)].join(" ");
}

function focusFirstProblem(form: HTMLFormElement | null): void {
  const field = form?.querySelector<HTMLElement>("[aria-invalid='true']");
  (field ?? form?.querySelector<HTMLElement>("[role='alert']"))?.focus();
}
