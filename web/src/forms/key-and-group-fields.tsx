import type { FieldsProps } from "./connector-form.tsx";
import { TextField } from "./text-field.tsx";

export function KeyAndGroupFields({ values, errors, onChange, isNew }: FieldsProps & { isNew: boolean }) {
  return (
    <>
      <TextField
        label="API key"
        name="api_key"
        isRequired={isNew}
        error={errors["api_key"]}
        help={
          isNew
            ? "A Braze REST API key with the permission users.track. It is sealed at once and never shown again."
            : "Leave it empty to keep the stored key. Another endpoint needs its own key."
        }
        type="password"
        placeholder={isNew ? undefined : "*** (stored)"}
        value={values.apiKey}
        onChange={(apiKey) => onChange({ apiKey })}
      />
      <TextField
        label="Segment ID"
        name="segment_id"
        error={errors["segment_id"]}
        help="Optional: the id of a Braze subscription group to keep in step as well. The key then also needs subscription.status.set."
        value={values.segmentId}
        onChange={(segmentId) => onChange({ segmentId })}
      />
    </>
  );
}
