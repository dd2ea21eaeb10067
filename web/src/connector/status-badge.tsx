import type { ConnectorStatus, ConnectorView } from "../api/wire.ts";
import { Badge, type Tone } from "../ui/badge.tsx";

const tones: Record<ConnectorStatus, Tone> = { active: "good", inactive: "quiet", error: "bad" };

export function StatusBadge({ view }: { view: ConnectorView }) {
  return <Badge tone={tones[view.status]}>{view.status}</Badge>;
}
