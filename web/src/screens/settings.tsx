import { useState } from "react";
import { Link, useLocation } from "wouter";
import { useActivation, useChangeActivation } from "../api/queries.ts";
import type { ConnectorView } from "../api/wire.ts";
import { ConnectorForm } from "../forms/connector-form.tsx";
import { changedConfig, valuesOf, type FormValues } from "../forms/values.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Heading } from "../ui/heading.tsx";
import { Loaded } from "../ui/loaded.tsx";

export function SettingsScreen({ id }: { id: number }) {
  return (
    <section className="narrow">
      <Heading>Settings</Heading>
      <Loaded query={useActivation(id)} what="the connector">
        {(view) => <Settings view={view} />}
      </Loaded>
    </section>
  );
}

function Settings({ view }: { view: ConnectorView }) {
  const change = useChangeActivation(view.id);
  const announce = useAnnounce();
  const [, go] = useLocation();
  // As it was when the form was opened: what others change meanwhile is not undone by saving.
  const [opened] = useState(() => valuesOf(view));
  const back = `/activations/${view.id}`;
  const submit = (values: FormValues) => {
    const config = changedConfig(values, opened);
    const leave = (said: string) => {
      announce(said);
      go(back);
    };
    if (Object.keys(config).length === 0) return leave("Nothing was changed.");
    change.mutate({ config }, { onSuccess: () => leave("Settings saved.") });
  };
  return (
    <>
      <p className="muted">
        {view.segment_name || `Segment ${view.segment}`}. A change during a run takes effect after it.
      </p>
      <ConnectorForm
        initial={opened}
        isNew={false}
        action="Save"
        isBusy={change.isPending}
        error={change.error}
        onSubmit={submit}
      >
        <Link href={back}>Cancel</Link>
      </ConnectorForm>
    </>
  );
}
