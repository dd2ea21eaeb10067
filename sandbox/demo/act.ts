import type { World } from "./world.ts";

/** Something that an act tells of itself, and whether it came true. */
export interface Claim {
  says: string;
  holds: boolean;
}

/** One act of the demo. To add one: a file in acts/, and its place in acts.ts. */
export interface Act {
  title: string;
  /** Two or three short sentences, before it begins. */
  story: string;
  /** Plays it until Braze has been told everything, and answers what must have come true beside that nothing differs. */
  play(world: World): Promise<(played: Played) => Claim[]>;
}

/** What an act did, by the runs in the connector's log and by what arrived at Braze. */
export interface Played {
  /** Users, summed over the act's runs. */
  entered: number;
  exited: number;
  /** Members more than before whom Braze rejects. */
  rejected: number;
  /** The outcomes of its runs, oldest first. */
  outcomes: string[];
  /** Everything that arrived at Braze's API, whatever became of it. */
  requests: number;
  /** Requests whose exact bytes had arrived before. */
  resent: number;
}
