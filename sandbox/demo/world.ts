import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ClientError, type ConnectorKey, type ConnectorView } from "../../src/client.ts";
import type { LoggedRun } from "../../src/ledger/log.ts";
import { ConnectorLog } from "../../src/ledger/log.ts";
import { compareComputedAt } from "../../src/contracts/recompute.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { BrazeStats } from "../braze/control.ts";
import type { Process } from "../process.ts";
import type { ChangeInput } from "../segops/control-shapes.ts";
import { tenant } from "../stack-environment.ts";
import type { Stack } from "../stack.ts";
import { blockedIds, overlongId } from "./people.ts";
import type { Story } from "./story.ts";

const lookEveryMs = 250;

/** The connector that the demo is about. */
export const connector: ConnectorKey = { tenant_slug: tenant, segment_id: 7 };
export const attribute = "segops_segment_7";

interface Wait {
  /** What is waited for. */
  until: string;
  /** How many users are to be sent meanwhile. */
  users: number;
  /** What `arrived` said before the first of them; now, when left out. */
  sentBefore?: number | undefined;
}

/** What an act can do and look at. */
export class World {
  readonly stack: Stack;
  readonly story: Story;
  /** Members whom Braze cannot show. */
  readonly rejectable: ReadonlySet<string> = new Set([...blockedIds, overlongId]);
  /** The key that opens the Braze workspace now. */
  brazeKey = "braze-key-of-the-demo";
  /** What is waited for, to say so when it does not come. */
  waitingFor = "the parts to start";
  readonly #dir: string;
  #worker: Process | undefined;

  constructor(stack: Stack, story: Story, dir: string) {
    this.stack = stack;
    this.story = story;
    this.#dir = dir;
  }

  async startWorker(): Promise<void> {
    this.waitingFor = "a worker to start";
    this.#worker = await this.stack.startWorker();
  }

  /** Its address. From now on SegOps' webhooks go to it, signed. */
  async startGateway(): Promise<string> {
    this.waitingFor = "the gateway to start";
    return (await this.stack.startGateway()).url;
  }

  /** kill -9. */
  async killWorker(): Promise<void> {
    await this.#worker?.kill();
  }

  /** Runs `segops-braze`, shows the command and answers what it printed. Throws, with that, unless it succeeds. */
  async command(...args: string[]): Promise<string> {
    this.story.command(`segops-braze ${args.map((arg) => arg.replace(`${this.#dir}/`, "")).join(" ")}`);
    this.waitingFor = `segops-braze ${args.slice(0, 2).join(" ")}`;
    const { code, output } = await this.stack.run(args);
    if (code !== 0) throw new Error(`segops-braze ${args.join(" ")} ended with ${code}:\n${output}`);
    return output;
  }

  /** A file with the key that opens Braze's workspace now, as the command line wants it. */
  async brazeKeyFile(name: string): Promise<string> {
    const file = join(this.#dir, name);
    await writeFile(file, this.brazeKey, { mode: 0o600 });
    return file;
  }

  /** Lets people enter and exit and SegOps compute the segment; its webhook becomes the connector's signal. */
  async recompute(change: ChangeInput = {}): Promise<{ computedAt: string; members: number }> {
    this.waitingFor = "SegOps to recompute";
    const { tenant_slug, segment_id } = connector;
    await this.stack.segops.change(tenant_slug, segment_id, change);
    const { computed_at, member_count, webhook } = await this.stack.segops.recompute(tenant_slug, segment_id);
    if (webhook?.status !== 202)
      throw new Error(`SegOps' webhook was not taken: ${webhook?.error ?? webhook?.status}`);
    return { computedAt: computed_at, members: member_count };
  }

  /** Until a run has delivered what SegOps computed at that time, or something newer: so many users to be sent. */
  async delivered(computedAt: string, users: number, sentBefore?: number): Promise<void> {
    const what = { until: "that recompute to be delivered", users, sentBefore };
    await this.look(what, ({ last_run: run, current_run }) => {
      const isDelivered = run?.outcome === "clean" || run?.outcome === "no_change";
      return !current_run && isDelivered && compareComputedAt(run.computed_at ?? computedAt, computedAt) >= 0;
    });
  }

  /**
   * Looks at the connector until it is as wanted and answers it; shows meanwhile how many users have arrived at Braze.
   * A silent worker is only waited for.
   */
  async look(
    { until, users, sentBefore }: Wait,
    isWanted: (view: ConnectorView) => boolean,
  ): Promise<ConnectorView> {
    this.waitingFor = until;
    const before = sentBefore ?? arrived(await this.brazeStats());
    const meter = this.story.meter(users);
    try {
      for (;;) {
        const view = await this.#describe();
        const done = arrived(await this.brazeStats()) - before;
        meter.show(done, view ? doing(view) : "no worker answers");
        if (view && isWanted(view)) return view;
        await delay(lookEveryMs);
      }
    } finally {
      meter.stop();
    }
  }

  async brazeStats(): Promise<BrazeStats> {
    return await this.stack.braze.stats(this.brazeKey);
  }

  /** The runs in the connector's log after that number, oldest first. */
  async runsAfter(number: number): Promise<LoggedRun[]> {
    const log = new ConnectorLog(await openStorage(this.stack.env.STORAGE_URL), connector);
    const runs = await log.runs({ limit: 100 });
    return runs.filter((run) => run.number > number).toReversed();
  }

  async #describe(): Promise<ConnectorView | undefined> {
    try {
      return await this.stack.connectors.describe(connector);
    } catch (error) {
      if (error instanceof ClientError && error.code === "worker_silent") return undefined;
      throw error;
    }
  }
}

function doing({ current_run: run, status }: ConnectorView): string {
  return run ? (run.progress?.phase ?? "run begins") : `no run under way, ${status}`;
}

/** Users in requests that Braze took, whatever became of the answers. */
export function arrived(stats: BrazeStats): number {
  return stats.objectsAccepted + stats.objectsRejected;
}
