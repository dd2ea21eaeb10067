import type { ConnectorView } from "../api/wire.ts";

/** Users in Braze, and users whom it rejected. A user in two channels is one user: the channel with the most counts. */
export function totals({ channels }: ConnectorView): { delivered: number; rejected: number } {
  const most = (counts: number[]) => Math.max(0, ...counts);
  return {
    delivered: most(channels.map(({ delivered }) => delivered)),
    rejected: most(channels.map(({ rejected }) => rejected)),
  };
}
