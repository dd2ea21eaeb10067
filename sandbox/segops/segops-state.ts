import { ExportJobs } from "./export-jobs.ts";
import type { SegopsStats } from "./control-shapes.ts";
import { FaultBox } from "./faults.ts";
import { Tenants } from "./tenants.ts";
import { WebhookSender } from "./webhook-sender.ts";

/** Everything that one running SegOps knows. */
export class SegopsState {
  readonly tenants = new Tenants();
  readonly faults = new FaultBox();
  readonly webhooks = new WebhookSender();
  readonly exports: ExportJobs;
  /** Base of the file host, an origin other than the API's. */
  filesUrl = "";
  authorizedFileRequests = 0;
  readonly #requests = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();

  static async open(): Promise<SegopsState> {
    return new SegopsState(await ExportJobs.open());
  }

  private constructor(exports: ExportJobs) {
    this.exports = exports;
  }

  countRequest(kind: string): void {
    this.#requests.set(kind, (this.#requests.get(kind) ?? 0) + 1);
  }

  later(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }

  stats(): SegopsStats {
    const { delivered, failed } = this.webhooks;
    const { started, completed } = this.exports;
    return {
      requests: Object.fromEntries(this.#requests),
      webhooks: { delivered, failed },
      exports: { started, completed },
      authorizedFileRequests: this.authorizedFileRequests,
    };
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.webhooks.close();
    await this.exports.close();
  }
}
