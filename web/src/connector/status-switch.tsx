import { useChangeActivation, useMayWrite } from "../api/queries.ts";
import type { ConnectorView } from "../api/wire.ts";
import { useAnnounce } from "../ui/announcer.tsx";

/** Active or not. A connector in error is active: it tries again at the next recompute. */
export function StatusSwitch({ view, label = "" }: { view: ConnectorView; label?: string }) {
  const change = useChangeActivation(view.id);
  const announce = useAnnounce();
  const mayWrite = useMayWrite();
  const name = view.segment_name || `Segment ${view.segment}`;
  const isOn = change.isPending ? change.variables.status === "active" : view.status !== "inactive";
  const toggle = (isActive: boolean) =>
    change.mutate(
      { status: isActive ? "active" : "inactive" },
      {
        onSuccess: () => announce(`${name} is ${isActive ? "active" : "inactive"}.`),
        onError: (error) => announce(`${name} was not changed. ${error.message}`),
      },
    );
  return (
    <label className="switch">
      <input
        type="checkbox"
        role="switch"
        aria-label={label ? undefined : `${name} active`}
        aria-busy={change.isPending}
        disabled={!mayWrite}
        aria-checked={isOn}
        checked={isOn}
        onChange={({ target }) => !change.isPending && toggle(target.checked)}
      />
      {label}
    </label>
  );
}
