import type { Direction } from "../../src/contracts/channel.ts";

/** What is known of a round once it is quiet. The checker judges it and nothing else; times are epoch ms of one machine. */
export interface Evidence {
  connectors: ConnectorEvidence[];
  /** Ids that Braze refuses by name. */
  blockedIds: readonly string[];
  /** Answers that named no user struck so often; each may have rejected one. */
  unnamedRejections: number;
  /** Answers (202, queued) that took a batch and told of no rejections in it: a blocked user in it is not known as such. */
  untoldRejections: number;
  /** Workers that ended by themselves. */
  crashes: readonly string[];
}

export interface ConnectorEvidence {
  name: string;
  /** Why it did not come to rest; null: it did. */
  unsettled: string | null;
  historyEvents: number;
  /** What is in the log's folder, by name. */
  logNames: readonly string[];
  runs: RunEvidence[];
  channels: ChannelEvidence[];
  writes: WriteEvidence[];
}

export interface RunEvidence {
  number: number;
  plannedAtMs: number | null;
  /** When its commit was in storage; null while there is none. */
  closedAtMs: number | null;
  /** Channel → user → which way, as planned. */
  moves: ReadonlyMap<string, ReadonlyMap<string, Direction>>;
  releases: readonly ReleaseEvidence[];
}

/** Exits in one channel of a plan that were held before it. */
export interface ReleaseEvidence {
  channel: string;
  released: readonly string[];
  /** Whom a person had let go. */
  approved: ReadonlySet<string>;
  /** So many may go out without a person: fewer are held by now than the guard looks at. */
  most: number;
}

export interface ChannelEvidence {
  channel: string;
  /** Whom SegOps says, or nobody where the channel was taken out of the configuration. */
  desired: readonly string[];
  /** Whom Braze shows as member once all is applied. */
  shown: readonly string[];
  /** Whom the ledger names as rejected: user → reason. */
  rejected: ReadonlyMap<string, string>;
  /** Whose exit the ledger says is held for a person: user → what the ledger says of their state in Braze. */
  held: ReadonlyMap<string, string>;
}

/** One write that Braze accepted. */
export interface WriteEvidence {
  channel: string;
  user: string;
  direction: Direction;
  acceptedAtMs: number;
  appliedAtMs: number | null;
}
