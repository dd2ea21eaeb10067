import { defaultPayloadConverter } from "@temporalio/common";
import type { PartProgress } from "../../src/contracts/run.ts";
import { eventually, type RecordedConnector } from "./recorded-connector.ts";
import type { ScenarioName } from "./scenario-names.ts";

const group = "5a1b6c1e-8f0a-4d6e-9b57-2f3c4d5e6f70";

type Scenario = (connector: RecordedConnector) => Promise<void>;

/** Who does what to a connector. Each begins with one that does not exist yet, and ends when all is quiet. */
export const scenarios: Record<ScenarioName, Scenario> = {
  "first-load": async (connector) => {
    await connector.create(500);
    await connector.untilRunEnded("clean");
  },

  "delta-with-subscription-group": async (connector) => {
    await connector.create(400, { segment_id: group });
    await connector.untilRunEnded("clean");
    await connector.change(40, 60);
    // Three of those who are about to enter are refused by name.
    const blockedIds = [0, 1, 2].map((n) => `late-${connector.key.segment_id}-1-${n}`);
    await connector.stage.stack.braze.putWorkspace({ key: connector.brazeKey, blockedIds });
    await connector.recompute();
    await connector.untilRunEnded("clean");
  },

  "no-change": async (connector) => {
    await connector.create(200);
    await connector.untilRunEnded("clean");
    const body = await connector.recompute();
    await connector.untilRunEnded("no_change");
    // The same webhook again, and one that is none: neither is a reason to run.
    await connector.signal(body);
    await connector.signal(["not a recompute"]);
    await connector.stage.connectors.sync(connector.key);
    await connector.untilRunEnded("no_change");
  },

  // A pause that Braze asks for, longer than a worker waits; then answers of 503 for longer than a part lasts, so that
  // the run waits by itself before it goes on.
  "braze-failing-then-recovering": async (connector) => {
    const { braze } = connector.stage.stack;
    const strikes = { key: connector.brazeKey, path: "/users/track" };
    await braze.addFault({ ...strikes, kind: "429", retryAfterSeconds: 11, times: 1 });
    await braze.addFault({ ...strikes, kind: "503" });
    await connector.create(300);
    await connector.untilSending();
    await eventually("the run pauses", async () => {
      const { events } = await connector.run(1).fetchHistory();
      return events?.some((event) => event.timerStartedEventAttributes) ?? false;
    });
    await braze.clearFaults();
    await connector.untilRunEnded("clean");
  },

  "key-rejected": async (connector) => {
    const { braze, brazeUrl } = connector.stage.stack;
    await braze.putWorkspace({ key: connector.brazeKey });
    await connector.create(300, { api_key: "a-key-that-braze-never-made" });
    await connector.untilRunEnded("failed");
    await connector.stage.connectors.configure(connector.key, {
      rest_endpoint: brazeUrl,
      api_key: connector.brazeKey,
    });
    await connector.untilRunEnded("clean");
  },

  "configuration-change": async (connector) => {
    const { connectors } = connector.stage;
    await connector.create(300);
    await connector.untilRunEnded("clean");
    await connectors.configure(connector.key, { segment_id: group, batch_size: 50 });
    await connector.untilRunEnded("clean");
    await connectors.configure(connector.key, { attribute_name: "high_ltv", batch_size: null });
    await connector.untilRunEnded("clean");
    await connectors.deactivate(connector.key);
    await connectors.activate(connector.key);
    await connector.untilRunEnded("no_change");
    await connectors.remove(connector.key, { cleanup: true });
    await connector.untilRunEnded("clean");
    await connector.handle.result();
  },

  "deactivated-in-mid-run": async (connector) => {
    const { stack, connectors } = connector.stage;
    await stack.braze.putWorkspace({ key: connector.brazeKey, answerDelayMs: 1500 });
    await connector.create(2400);
    await connector.untilSending();
    await connectors.deactivate(connector.key);
    await connector.untilRunEnded("partial");
    await stack.braze.putWorkspace({ key: connector.brazeKey, answerDelayMs: 0 });
    await connectors.activate(connector.key);
    await connector.untilRunEnded("clean");
  },

  // As somebody may do in Temporal's UI: the run cannot say what it sent, so the connector closes it in the log.
  "run-terminated": async (connector) => {
    const { braze } = connector.stage.stack;
    await braze.putWorkspace({ key: connector.brazeKey, answerDelayMs: 1500 });
    await connector.create(2400);
    await connector.untilSending();
    await connector.terminateRun();
    await braze.putWorkspace({ key: connector.brazeKey, answerDelayMs: 0 });
    await connector.untilRunEnded("clean");
  },

  // Answers take so long that the worker dies with a part half sent, and that the part does not end in one execution.
  "worker-killed": async (connector) => {
    const { braze } = connector.stage.stack;
    await braze.putWorkspace({ key: connector.brazeKey, answerDelayMs: 1500 });
    await connector.create(3600);
    await eventually(
      "a heartbeat tells of settled users",
      async () => (await heartbeatCursor(connector)) > 0,
    );
    await connector.stage.killWorker();
    await connector.stage.startWorker();
    await connector.untilRunEnded("clean");
  },

  // Needs a worker that is told to continue as new after two runs. The second of them is still sending when the next
  // recompute comes, so that it is carried over.
  "continue-as-new": async (connector) => {
    const { braze } = connector.stage.stack;
    await connector.create(200);
    await connector.untilRunEnded("clean");
    await braze.putWorkspace({ key: connector.brazeKey, answerDelayMs: 1500 });
    await connector.change(0, 10);
    await connector.recompute();
    await connector.untilSending();
    await connector.change(0, 10);
    await connector.recompute();
    await connector.untilRunEnded("clean");
    await connector.untilRunEnded("clean");
    await connector.recompute();
    await connector.untilRunEnded("no_change");
  },

  // Needs a worker that is told to continue as new after a hundred events. Signals fill the history while the run is sending.
  "history-ends-in-mid-run": async (connector) => {
    const { braze } = connector.stage.stack;
    await braze.putWorkspace({ key: connector.brazeKey, answerDelayMs: 1500 });
    await connector.create(2400);
    await connector.untilSending();
    await eventually("the connector begins a new history", async () => {
      await connector.signal({ segment_id: connector.key.segment_id, computed_at: "2026-05-02T14:32:00Z" });
      return await connector.historyIsNew();
    });
    await connector.untilRunEnded("clean");
  },

  "read-back": async (connector) => {
    await connector.create(200);
    await connector.untilRunEnded("clean");
    await connector.stage.connectors.verify(connector.key, { sample: 100 });
    await connector.untilRunEnded("no_change");
  },
};

async function heartbeatCursor(connector: RecordedConnector): Promise<number> {
  const description = await connector
    .run(1)
    .describe()
    .catch(() => undefined);
  const heartbeat = description?.raw.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0];
  // Activities that send nothing report that they live, and no more.
  const progress = heartbeat && defaultPayloadConverter.fromPayload<PartProgress | undefined>(heartbeat);
  return progress?.cursor ?? 0;
}
