import { Link } from "wouter";
import { useMayWrite } from "../api/queries.ts";
import type { ConnectorView } from "../api/wire.ts";

export function ShownSettings({ view }: { view: ConnectorView }) {
  const mayWrite = useMayWrite();
  return (
    <section>
      <div className="title-line">
        <h2>Settings</h2>
        {mayWrite && (
          <Link href={`/activations/${view.id}/settings`} className="button outline small">
            Edit settings
          </Link>
        )}
      </div>
      <dl>
        {Object.entries(view.config).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
