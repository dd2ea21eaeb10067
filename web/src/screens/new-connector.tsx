import { Link, useLocation } from "wouter";
import { useCreateActivation } from "../api/queries.ts";
import { ConnectorForm } from "../forms/connector-form.tsx";
import { emptyValues, newConfig, type FormValues } from "../forms/values.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Heading } from "../ui/heading.tsx";

export function NewConnectorScreen() {
  const create = useCreateActivation();
  const announce = useAnnounce();
  const [, go] = useLocation();
  const submit = (values: FormValues) =>
    create.mutate(
      { segment: segmentOf(values), connector_type: "braze", config: newConfig(values) },
      {
        onSuccess: ({ id }) => {
          announce("Created. It delivers once it is active.");
          go(`/activations/${id}`);
        },
      },
    );
  return (
    <section className="narrow">
      <Heading>New connector</Heading>
      <ConnectorForm
        initial={emptyValues}
        isNew
        action="Create"
        isBusy={create.isPending}
        error={create.error}
        onSubmit={submit}
      >
        <Link href="/activations">Cancel</Link>
      </ConnectorForm>
    </section>
  );
}

/** A number where it reads as one; anything else is the gateway's to refuse, in its own words. */
function segmentOf({ segment }: FormValues): number | string {
  return /^\d+$/.test(segment.trim()) ? Number(segment) : segment.trim();
}
