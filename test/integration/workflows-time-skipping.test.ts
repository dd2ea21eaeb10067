import { WorkflowFailedError } from "@temporalio/client";
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { subscriptionGroupChannel } from "../../src/contracts/channel.ts";
import { errorMessage } from "../../src/contracts/errors.ts";
import type { PlannedDelta, SendPartInput } from "../../src/contracts/run.ts";
import { clearKey, DrivenConnector, gate, refusalOf, until, untilCancelled } from "./driven-connector.ts";
import { settledUpTo, stopped, troubled } from "./fake-connector.ts";
import { bundleWorkflows, startDevServer, startTimeSkipping, type WorkflowStage } from "./workflow-stage.ts";

const t1 = "2026-05-01T10:00:00Z";
const t2 = "2026-05-01T11:00:00Z";
const t3 = "2026-05-01T12:00:00Z";
const minuteMs = 60_000;

let bundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  bundle = await bundleWorkflows();
});

/** Replayed from its start at every task, so that nothing undetermined goes unseen; the other tests' workers keep histories in memory. */
const options = { maxCachedWorkflows: 0 };

describe("workflows, replayed at every task", () => {
  // A server for each test: time is the whole server's, and what another test left would look and run in it.
  let stage: WorkflowStage;
  beforeEach(async () => {
    stage = await startTimeSkipping(bundle, options);
  });
  afterEach(async () => {
    await stage?.stop();
  });

  const newConnector = () => new DrivenConnector(stage);
  const activated = () => newConnector().activated();
  const delivered = (computedAt: string) => newConnector().delivered(computedAt);
  const pass = (minutes: number) => stage.env.sleep(minutes * minuteMs);

  describe("signals", () => {
    test("a recompute that arrives during a run starts exactly one more run", async () => {
      const connector = await delivered(t1);
      const held = gate();
      connector.fake.on.fetchMembership = () => held.opened;
      await connector.recompute(t2);
      await until("the run to fetch", () => connector.fake.begun === 2);
      await connector.recompute(t3);
      held.open();
      await connector.untilRuns(3);
      await pass(30);
      expect(connector.fake.outcomes).toEqual(["clean", "clean", "clean"]);
      expect((await connector.describe()).last_run?.computed_at).toBe(t3);
    });

    test("ten signals during a run, in any order, start exactly one more run", async () => {
      const connector = await delivered(t1);
      const held = gate();
      connector.fake.on.fetchMembership = () => held.opened;
      await connector.recompute(t2);
      await until("the run to fetch", () => connector.fake.begun === 2);
      for (const minute of [5, 3, 9, 0, 1, 8, 2, 7, 6, 4])
        await connector.recompute(`2026-05-01T12:0${minute}:00Z`);
      connector.fake.segment.computedAt = "2026-05-01T12:09:00Z";
      held.open();
      await connector.untilRuns(3);
      await pass(30);
      expect(connector.fake.begun).toBe(3);
      expect((await connector.describe()).last_run?.computed_at).toBe("2026-05-01T12:09:00Z");
    });

    test("a run that already fetched what was signalled during it is not followed by another", async () => {
      const connector = await delivered(t1);
      const held = gate();
      connector.fake.on.diffMembership = () => held.opened;
      connector.fake.segment.computedAt = t3;
      await connector.signal({ computed_at: t2 });
      await until("the run to fetch", () => connector.fake.begun === 2);
      await connector.signal({ computed_at: t3 });
      held.open();
      await connector.untilRuns(2);
      await pass(30);
      expect(connector.fake.begun).toBe(2);
    });

    test("a recompute that is not newer than what was delivered starts no run", async () => {
      const connector = await delivered(t2);
      for (const computed_at of [t1, t2, "2026-05-01T13:00:00+02:00"])
        await connector.signal({ computed_at });
      await pass(30);
      expect(connector.fake.begun).toBe(1);
      await connector.recompute(t3);
      await connector.untilRuns(2);
    });

    test.each([{ body: [] }, { body: [{}] }, { body: [null] }, { body: [{ computed_at: 12 }] }])(
      "a signal without a time ($body) runs once",
      async ({ body }) => {
        const connector = await delivered(t1);
        await connector.signal(...body);
        await connector.untilRuns(2);
        await pass(30);
        expect(connector.fake.outcomes).toEqual(["clean", "no_change"]);
      },
    );

    test("signals that are no recompute are counted for whoever looks, and start nothing", async () => {
      const connector = await delivered(t1);
      for (const body of ["text", 7, [t2], true, { segment_id: 999_999, computed_at: t2 }])
        await connector.signal(body);
      await pass(30);
      expect(connector.fake.begun).toBe(1);
      expect(await connector.details()).toContain("5 signals were no recompute");
      expect(await failedTasks(connector)).toBe(0);
    });
  });

  describe("looks", () => {
    test("the hourly look finds a recompute whose webhook never came", async () => {
      const connector = await delivered(t1);
      connector.fake.segment.computedAt = t2;
      await pass(30);
      expect(connector.fake.begun).toBe(1);
      await pass(31);
      await connector.untilRuns(2);
      expect((await connector.describe()).last_run?.computed_at).toBe(t2);
    });

    test("a look that fails waits for the next", async () => {
      const connector = await delivered(t1);
      connector.fake.segment.computedAt = t2;
      connector.fake.on.lookAtSegment = () => {
        throw troubled("segops_unavailable");
      };
      const looks = connector.fake.counts.looks;
      await pass(65);
      await until("the look to give up", () => connector.fake.counts.looks === looks + 3);
      await pass(30);
      expect(connector.fake.counts.looks).toBe(looks + 3);
      connector.fake.on = {};
      await pass(61);
      await connector.untilRuns(2);
    });

    test("files of old runs are cleaned up once a day, also where it fails and over continue-as-new", async () => {
      const connector = await delivered(t1);
      const hours = async (count: number) => {
        for (let left = count; left > 0; left--) await pass(60);
      };
      await hours(22);
      expect(connector.fake.counts.cleanUps).toBe(0);
      connector.fake.on.cleanUp = () => {
        throw troubled("storage_unavailable");
      };
      await hours(4);
      await until("the first clean-up", () => connector.fake.counts.cleanUps === 1);
      connector.fake.on = {};
      await hours(20);
      expect(connector.fake.counts.cleanUps).toBe(1);
      await hours(6);
      await until("the second clean-up", () => connector.fake.counts.cleanUps === 2);
      expect(await failedTasks(connector)).toBe(0);
      expect((await connector.describe()).status).toBe("active");
    });

    test("an inactive connector does not look", async () => {
      const connector = await delivered(t1);
      await connector.update("deactivate");
      const { looks } = connector.fake.counts;
      connector.fake.segment.computedAt = t2;
      await pass(300);
      expect(connector.fake.counts.looks).toBe(looks);
      expect(connector.fake.begun).toBe(1);
    });
  });

  describe("creating and settings", () => {
    test("a recompute for a connector that was never created ends at once, saying so", async () => {
      const connector = newConnector();
      await connector.recompute(t1);
      expect(await connector.handle.result()).toBe(errorMessage("connector_not_found"));
      expect(connector.fake.begun).toBe(0);
    });

    test("configure by update-with-start creates the connector, inactive", async () => {
      const connector = newConnector();
      const view = await connector.configure({ batch_size: 10 });
      expect(view).toMatchObject({
        id: connector.key.segment_id,
        status: "inactive",
        last_error: "",
        config: { rest_endpoint: "https://rest.iad-01.braze.com", api_key: "***", batch_size: 10 },
      });
      await connector.recompute(t1);
      await pass(30);
      expect(connector.fake.begun).toBe(0);
    });

    test.each(["activate", "deactivate", "sync", "remove"])(
      "%s of a connector that was never created is refused, and nothing is left running",
      async (update) => {
        const connector = newConnector();
        expect((await refusalOf(connector.updateWithStart(update))).code).toBe("connector_not_found");
        expect(await connector.handle.result()).toBe(errorMessage("connector_not_found"));
        expect(connector.fake.configs).toEqual([]);
      },
    );

    test("a segment that was never computed does not turn a new connector to error", async () => {
      const connector = await activated();
      await pass(30);
      expect(await connector.describe()).toMatchObject({ status: "active", last_error: "", last_run: null });
    });

    test("a refused configure names its field and leaves nothing in the history", async () => {
      const connector = await delivered(t1);
      const before = await acceptedUpdates(connector);
      const changes: [Record<string, unknown>, string][] = [
        [{ rest_endpoint: "https://rest.iad-01.braze.com/" }, "rest_endpoint"],
        [{ api_key: clearKey }, "api_key"],
        [{ batch_size: 76 }, "batch_size"],
        [{ exit_mode: "delete" }, "exit_mode"],
        [{ surprise: 1 }, "surprise"],
      ];
      for (const [change, field] of changes) {
        const { code, message } = await refusalOf(connector.update("configure", change));
        expect(code).toBe("config_invalid");
        expect(message).toContain(field);
        expect(message).not.toContain(clearKey);
      }
      expect(await acceptedUpdates(connector)).toBe(before);
      expect(before).toBeGreaterThan(0);
    });

    test("bad input of any shape is refused and never fails a workflow task", async () => {
      const connector = await delivered(t1);
      for (const change of [undefined, null, 7, "text", [], [{}]])
        expect((await refusalOf(connector.update("configure", change))).code).toBe("config_invalid");
      for (const how of [true, "cleanup", [], { cleanup: "yes" }, { clean_up: true }])
        expect((await refusalOf(connector.update("remove", how))).code).toBe("config_invalid");
      for (const how of [true, [], { create: "yes" }, { created: true }])
        expect((await refusalOf(connector.update("configure", {}, how))).code).toBe("config_invalid");
      expect(await failedTasks(connector)).toBe(0);
      expect((await connector.describe()).status).toBe("active");
    });

    test.each([undefined, null, 7, {}, { tenant_slug: "acme" }, { tenant_slug: "../x", segment_id: 1 }])(
      "a start with %j fails once, naming what is wrong",
      async (input) => {
        const workflowId = `braze/wrong/${Math.random()}`;
        const started = stage.env.client.workflow.execute("connector", {
          workflowId,
          taskQueue: "segops-braze",
          args: [input],
        });
        await expect(started).rejects.toBeInstanceOf(WorkflowFailedError);
        const { code, message } = await refusalOf(started);
        expect(code).toBe("config_invalid");
        expect(message).toMatch(/tenant_slug|segment_id|whole/);
      },
    );

    test("settings that change at the same time are written one after the other", async () => {
      const connector = await delivered(t1);
      let writing = 0;
      let together = 0;
      connector.fake.on.writeConfig = async () => {
        together = Math.max(together, ++writing);
        await new Promise((resolve) => setTimeout(resolve, 30));
        writing--;
      };
      const sizes = [10, 20, 30, 40, 50];
      await Promise.all(sizes.map((batch_size) => connector.update("configure", { batch_size })));
      expect(together).toBe(1);
      const written = connector.fake.configs.slice(2).map(({ entry }) => entry.config.batch_size);
      expect(written.toSorted((a, b) => a - b)).toEqual(sizes);
      expect((await connector.describe()).config.batch_size).toBe(written.at(-1));
    });

    test("a settings change that the workers refuse changes nothing", async () => {
      const connector = await delivered(t1);
      connector.fake.on.writeConfig = () => {
        throw stopped("config_invalid");
      };
      expect((await refusalOf(connector.update("configure", { batch_size: 5 }))).code).toBe("config_invalid");
      connector.fake.on = {};
      expect((await connector.describe()).config.batch_size).toBe(75);
      await pass(30);
      expect(connector.fake.begun).toBe(1);
    });

    test("a changed configuration is delivered by a run of its own", async () => {
      const connector = await delivered(t1);
      await connector.update("configure", { segment_id: "newsletter" });
      const view = await connector.untilRuns(2);
      expect(view.last_run?.reason).toBe("config");
    });

    test("what was changed while it was inactive is delivered when it is activated", async () => {
      const connector = await delivered(t1);
      await connector.update("deactivate");
      await connector.update("configure", { segment_id: "newsletter" });
      await pass(30);
      expect(connector.fake.begun).toBe(1);
      await connector.update("activate");
      const view = await connector.untilRuns(2);
      expect(view.last_run?.reason).toBe("activated");
    });
  });

  describe("stopping", () => {
    test("deactivate cancels the run, and the run commits what it settled", async () => {
      const connector = await activated();
      const held = gate();
      connector.fake.on.send = async () => {
        held.open();
        return await untilCancelled().catch(() => ({ progress: settledUpTo(4), done: false }));
      };
      await connector.recompute(t1);
      await held.opened;
      expect((await connector.update("deactivate")).status).toBe("inactive");
      const view = await connector.untilRuns(1);
      expect(view).toMatchObject({
        status: "inactive",
        last_run: { outcome: "partial", error: { code: "run_cancelled" } },
      });
      expect(connector.fake.lastRun?.handedIn?.parts).toMatchObject([
        { reported: true, progress: { cursor: 4 } },
      ]);
      await pass(120);
      expect(connector.fake.begun).toBe(1);
    });

    test("parts that a cancelled run never began are not handed in as begun", async () => {
      const connector = await activated();
      connector.fake.deltas = [attribute(connector, "entered", 20)];
      connector.fake.on.send = async () =>
        await untilCancelled().catch(() => ({ progress: settledUpTo(0), done: false }));
      await connector.recompute(t1);
      await until("eight parts in flight", () => connector.fake.sent.length === 8);
      await connector.update("deactivate");
      await connector.untilRuns(1);
      const parts = connector.fake.lastRun?.handedIn?.parts ?? [];
      expect(parts.map((part) => part.part)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(parts.every((part) => part.reported)).toBe(true);
    });

    test("a run cancelled while it fetches commits too", async () => {
      const connector = await activated();
      connector.fake.on.fetchMembership = () => untilCancelled();
      await connector.recompute(t1);
      await until("the run to fetch", () => connector.fake.begun === 1);
      await connector.update("deactivate");
      await connector.untilRuns(1);
      expect(connector.fake.outcomes).toEqual(["partial"]);
    });

    test("activate right after deactivate delivers what the cancelled run did not", async () => {
      const connector = await activated();
      connector.fake.on.send = () => untilCancelled();
      await connector.recompute(t1);
      await until("the run to send", () => connector.fake.sent.length === 1);
      await connector.update("deactivate");
      connector.fake.on = {};
      await connector.update("activate");
      await until("a clean run", () => connector.fake.outcomes.includes("clean"));
      expect(connector.fake.outcomes).toEqual(["partial", "clean"]);
    });

    test("a run that a person cancels is not begun again at once, but by the next look", async () => {
      const connector = await activated();
      connector.fake.on.send = () => untilCancelled();
      await connector.recompute(t1);
      await until("the run to send", () => connector.fake.sent.length === 1);
      await connector.run(1).cancel();
      const view = await connector.untilRuns(1);
      expect(view).toMatchObject({ status: "active", last_error_code: "run_cancelled" });
      connector.fake.on = {};
      await pass(30);
      expect(connector.fake.begun).toBe(1);
      await pass(35);
      await connector.untilRuns(2);
      expect(connector.fake.outcomes).toEqual(["partial", "clean"]);
    });

    test("a run that ends without reporting is closed in the log, and a new run follows", async () => {
      const connector = await activated();
      connector.fake.on.commitLedger = () => {
        connector.fake.on = {};
        throw stopped("unexpected");
      };
      await connector.recompute(t1);
      await connector.untilRuns(2);
      const codes = connector.fake.closed().map((run) => run.summary.error?.code);
      expect(codes).toEqual(["run_abandoned", undefined]);
      await pass(30);
      expect(connector.fake.begun).toBe(2);
    });

    test("runs that never report are tried at growing pauses, not in a hot loop", async () => {
      const connector = await activated();
      connector.fake.on.commitLedger = () => {
        throw stopped("unexpected");
      };
      await connector.recompute(t1);
      await pass(10);
      // At once, then after 30 s, 1, 2 and 4 minutes.
      expect(connector.fake.begun).toBeGreaterThanOrEqual(3);
      expect(connector.fake.begun).toBeLessThanOrEqual(6);
      connector.fake.on = {};
      await pass(16);
      await until("a clean run", () => connector.fake.outcomes.includes("clean"));
    });

    test("a cancelled connector lets its run commit, ends, and comes back with the next recompute", async () => {
      const connector = await activated();
      connector.fake.on.send = () => untilCancelled();
      await connector.recompute(t1);
      await until("the run to send", () => connector.fake.sent.length === 1);
      await connector.handle.cancel();
      await expect(connector.handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
      expect(connector.fake.outcomes).toEqual(["partial"]);
      connector.fake.on = {};
      await connector.recompute(t2);
      await until("a clean run", () => connector.fake.outcomes.includes("clean"));
    });
  });

  describe("trouble", () => {
    test("a rejected key turns the connector to error in words that help, and a configure mends it", async () => {
      const connector = await activated();
      connector.fake.on.send = () => {
        throw stopped("braze_key_rejected", settledUpTo(3));
      };
      await connector.recompute(t1);
      const failed = await connector.untilRuns(1);
      expect(failed).toMatchObject({
        status: "error",
        last_error_code: "braze_key_rejected",
        last_error: errorMessage("braze_key_rejected"),
      });
      expect(connector.fake.lastRun?.handedIn?.parts).toMatchObject([
        { reported: true, progress: { cursor: 3 } },
      ]);
      await pass(30);
      expect(connector.fake.begun).toBe(1);
      connector.fake.on = {};
      await connector.configure();
      const mended = await connector.untilRuns(2);
      expect(mended).toMatchObject({
        status: "active",
        last_error: "",
        last_error_code: "",
        last_run: { outcome: "clean" },
      });
    });

    test.each([
      ["refused for good", () => stopped("ledger_missing"), "ledger_missing"],
      ["that fails at each try", () => troubled("braze_unavailable"), "braze_unavailable"],
    ])(
      "a verification %s keeps no run from delivering, and the commit says why",
      async (_, failure, code) => {
        const connector = await activated();
        connector.fake.on.verifyWrites = () => {
          throw failure();
        };
        await connector.recompute(t1);
        expect(await connector.untilRuns(1)).toMatchObject({
          status: "active",
          last_run: { outcome: "clean" },
        });
        expect(connector.fake.lastRun?.handedIn).toMatchObject({
          error: null,
          verified: { checked: 0, wrong: 0, skipped: code, through: 0 },
        });
      },
    );

    test.each(["activate", "sync"] as const)("%s tries a connector in error again", async (update) => {
      const connector = await activated();
      connector.fake.on.fetchMembership = () => {
        throw stopped("snapshot_unverified");
      };
      await connector.recompute(t1);
      expect((await connector.untilRuns(1)).status).toBe("error");
      connector.fake.on = {};
      await connector.update(update);
      expect((await connector.untilRuns(2)).status).toBe("active");
    });

    test("a source that goes on failing is tried once an hour", async () => {
      const connector = await activated();
      connector.fake.on.fetchMembership = () => {
        throw stopped("snapshot_unverified");
      };
      // Braze rejected somebody a day ago: the retry is due, and stays so.
      connector.fake.retryAt = "2020-01-01T00:00:00Z";
      await connector.recompute(t1);
      await connector.untilRuns(1);
      await pass(300);
      expect(connector.fake.begun).toBeGreaterThan(3);
      expect(connector.fake.begun).toBeLessThanOrEqual(11);
    });

    test("sending that only fails for 15 minutes is committed as partial, and new runs follow at growing pauses", async () => {
      const connector = await activated();
      connector.fake.on.send = () => {
        throw troubled("braze_unavailable", settledUpTo(0));
      };
      await connector.recompute(t1);
      await pass(80);
      const runs = connector.fake.closed().map(({ summary }) => summary);
      expect(runs.length).toBeGreaterThanOrEqual(4);
      expect(runs.map((run) => run.error?.code)).toEqual(runs.map(() => "run_stalled"));
      for (const run of runs) expectWithin(between(run.started_at, run.finished_at), 14.5, 17);
      const pauses = runs
        .slice(1)
        .map((run, index) => between(runs[index]?.finished_at ?? "", run.started_at));
      expect(pauses[0]).toBeLessThan(0.2);
      expectWithin(pauses[1], 0.5, 0.7);
      expectWithin(pauses[2], 1, 1.2);
      connector.fake.on = {};
      await pass(20);
      await until("a clean run", () => connector.fake.outcomes.includes("clean"));
      expect(await connector.describe()).toMatchObject({ status: "active", last_error: "" });
    });

    test("a part that Braze asks to wait longer than it may be tried is not hammered", async () => {
      const connector = await activated();
      connector.fake.on.send = () => {
        throw troubled("braze_rate_limited", settledUpTo(0), 20 * minuteMs);
      };
      await connector.recompute(t1);
      // In small steps: a server under load lets what is due at one moment happen one after the other.
      for (let passed = 0; passed < 40 && connector.fake.outcomes.length === 0; passed += 2) await pass(2);
      await until("the run to end", () => connector.fake.outcomes.length > 0);
      expect(connector.fake.sent.length).toBeLessThan(60);
    });

    test("a log that cannot be opened blocks the connector, sends nothing, and heals with the next recompute", async () => {
      const connector = await delivered(t1);
      await connector.stopped();
      connector.fake.on.openLog = () => {
        throw stopped("ledger_missing");
      };
      await connector.recompute(t2);
      await until("the log to be tried", async () => (await connector.describe()).last_error_code !== "");
      expect(await connector.describe()).toMatchObject({
        status: "error",
        last_error_code: "ledger_missing",
      });
      expect((await refusalOf(connector.update("configure", { batch_size: 5 }))).code).toBe("ledger_missing");
      const { opens } = connector.fake.counts;
      await pass(30);
      expect(connector.fake.counts.opens).toBe(opens);
      connector.fake.on = {};
      await connector.signal({ computed_at: t1 });
      const view = await connector.untilRuns(2);
      expect(view).toMatchObject({ status: "active", last_error: "", last_run: { computed_at: t2 } });
    });

    test("a sync asked for while the log cannot be opened is done when it can", async () => {
      const connector = await delivered(t1);
      await connector.stopped();
      connector.fake.on.openLog = () => {
        throw stopped("log_unreadable");
      };
      await connector.signal("only to revive it");
      await until("the log to be tried", async () => (await connector.describe()).last_error_code !== "");
      await connector.update("sync");
      connector.fake.on = {};
      await pass(61);
      const view = await connector.untilRuns(2);
      expect(view.last_run?.reason).toBe("sync");
    });
  });

  describe("parts", () => {
    test("a part whose time was over goes on from its cursor", async () => {
      const connector = await activated();
      connector.fake.on.send = ({ progress }) =>
        progress.cursor === 9 ? undefined : { progress: settledUpTo(progress.cursor + 3), done: false };
      await connector.recompute(t1);
      await connector.untilRuns(1);
      expect(connector.fake.sent.map(({ progress }) => progress.cursor)).toEqual([0, 3, 6, 9]);
      expect(connector.fake.lastRun?.handedIn?.parts).toMatchObject([
        { reported: true, progress: { cursor: 10 } },
      ]);
    });

    test("at most eight parts are in flight, and all are sent", async () => {
      const connector = await activated();
      connector.fake.deltas = [attribute(connector, "entered", 20)];
      const held = gate();
      let inFlight = 0;
      let most = 0;
      connector.fake.on.send = async () => {
        most = Math.max(most, ++inFlight);
        await held.opened;
        inFlight--;
      };
      await connector.recompute(t1);
      await until("eight parts in flight", () => inFlight === 8);
      await connector.progress(1);
      expect(connector.fake.sent).toHaveLength(8);
      held.open();
      await connector.untilRuns(1);
      expect(most).toBe(8);
      expect(connector.fake.sent.map(({ part }) => part).toSorted((a, b) => a - b)).toEqual([
        ...Array(20).keys(),
      ]);
    });

    test("a subscription group is touched strictly after the last part of the attribute", async () => {
      const connector = await activated();
      const group = subscriptionGroupChannel("newsletter");
      connector.fake.deltas = [
        { channel: group, direction: "entered", users: 30, parts: 3 },
        attribute(connector, "exited", 3),
        attribute(connector, "entered", 3),
      ];
      const finished: string[] = [];
      const seen: string[][] = [];
      connector.fake.on.send = async (input: SendPartInput) => {
        if (input.channel === group) seen.push([...finished]);
        await new Promise((resolve) => setTimeout(resolve, 10 + 10 * input.part));
        finished.push(`${input.channel.slice(0, 3)} ${input.direction}`);
      };
      await connector.recompute(t1);
      await connector.untilRuns(1);
      const attributeParts = [
        ...Array<string>(3).fill("att entered"),
        ...Array<string>(3).fill("att exited"),
      ];
      expect(finished.slice(0, 6)).toEqual(attributeParts);
      expect(seen[0]).toEqual(attributeParts);
      expect(finished).toHaveLength(9);
    });

    test("a part that fails for good lets those in flight settle, and pulls no more", async () => {
      const connector = await activated();
      connector.fake.deltas = [attribute(connector, "entered", 20)];
      const held = gate();
      connector.fake.on.send = async ({ part }) => {
        if (part === 0) throw stopped("braze_permission_missing", settledUpTo(0));
        await held.opened;
      };
      await connector.recompute(t1);
      await until("the parts to be sent", () => connector.fake.sent.length === 8);
      await until("the first part to fail", async () => (await connector.progress(1)).last_error !== "");
      held.open();
      await connector.untilRuns(1);
      expect(connector.fake.outcomes).toEqual(["failed"]);
      const parts = connector.fake.lastRun?.handedIn?.parts ?? [];
      expect(parts).toHaveLength(8);
      expect(parts.filter((part) => part.progress.cursor === 10)).toHaveLength(7);
    });
  });

  describe("long life", () => {
    test("a connector begins a new history once a day, without a run", async () => {
      const connector = await delivered(t1);
      const before = (await connector.handle.describe()).runId;
      await pass(25 * 60);
      expect((await connector.handle.describe()).runId).not.toBe(before);
      expect(connector.fake.begun).toBe(1);
    });

    test("sync of an inactive connector is refused", async () => {
      const connector = newConnector();
      await connector.configure();
      expect((await refusalOf(connector.update("sync"))).code).toBe("connector_inactive");
    });

    test("sync during a run starts exactly one more", async () => {
      const connector = await delivered(t1);
      const held = gate();
      connector.fake.on.fetchMembership = () => held.opened;
      await connector.recompute(t2);
      await until("the run to fetch", () => connector.fake.begun === 2);
      await connector.update("sync");
      await connector.update("sync");
      held.open();
      await connector.untilRuns(3);
      await pass(30);
      expect(connector.fake.begun).toBe(3);
    });
  });

  describe("removing", () => {
    test("without cleanup it ends at once and sends nothing", async () => {
      const connector = await delivered(t1);
      await connector.update("remove");
      expect(await connector.handle.result()).toBe("the connector was removed");
      expect(connector.fake.configs.at(-1)?.entry.status).toBe("removed");
      expect(connector.fake.sent).toHaveLength(1);
    });

    test("with cleanup everyone is unset first", async () => {
      const connector = await delivered(t1);
      await connector.update("remove", { cleanup: true });
      expect(await connector.handle.result()).toBe("the connector was removed");
      expect(connector.fake.sent.map(({ direction }) => direction)).toEqual(["entered", "exited"]);
      expect(connector.fake.configs.map(({ entry }) => entry.change).slice(2)).toEqual([
        "removing",
        "removed",
      ]);
    });

    test("a cleanup that fails is tried again, and the connector stays until it is done", async () => {
      const connector = await delivered(t1);
      connector.fake.on.send = () => {
        throw stopped("braze_key_rejected");
      };
      await connector.update("remove", { cleanup: true });
      await connector.untilRuns(2);
      await pass(30);
      expect(connector.fake.closed()).toHaveLength(2);
      connector.fake.on = {};
      await pass(61);
      expect(await connector.handle.result()).toBe("the connector was removed");
    });

    test("remove during a run cancels it before everyone is unset", async () => {
      const connector = await delivered(t1);
      connector.fake.on.send = ({ direction }) => (direction === "entered" ? untilCancelled() : undefined);
      await connector.recompute(t2);
      await until("the run to send", () => connector.fake.sent.length === 2);
      await connector.update("remove", { cleanup: true });
      expect(await connector.handle.result()).toBe("the connector was removed");
      expect(connector.fake.outcomes).toEqual(["clean", "partial", "clean"]);
    });

    test("a removal that is taken back unsets nobody, even where it was waiting its turn", async () => {
      const connector = await delivered(t1);
      const held = gate();
      connector.fake.on.commitLedger = () => held.opened;
      await connector.recompute(t2);
      await until("the run to send", () => connector.fake.sent.length === 2);
      await connector.update("remove", { cleanup: true });
      await connector.update("configure", { batch_size: 10 });
      await connector.update("activate");
      held.open();
      connector.fake.on = {};
      await until("the run after it", () => connector.fake.closed().length >= 3);
      await pass(30);
      expect(connector.fake.sent.map(({ direction }) => direction)).not.toContain("exited");
      expect((await connector.describe()).status).toBe("active");
    });

    test("a removed connector can be created again", async () => {
      const connector = await delivered(t1);
      await connector.update("remove", { cleanup: true });
      await connector.handle.result();
      expect((await connector.configure()).status).toBe("inactive");
      connector.fake.deltas = [attribute(connector, "entered", 1)];
      await connector.update("activate");
      const view = await connector.untilRuns(3);
      expect(view.last_run).toMatchObject({ outcome: "clean", number: 3 });
    });
  });

  test("no history holds the key in clear", async () => {
    const connector = await delivered(t1);
    await connector.update("configure", { batch_size: 5 });
    await connector.untilRuns(2);
    await refusalOf(connector.update("configure", { api_key: clearKey }));
    const histories = await Promise.all(
      [connector.handle, connector.run(1), connector.run(2)].map((handle) => handle.fetchHistory()),
    );
    const texts = histories.map((history) => decodedText(JSON.parse(historyToJSON(history))));
    expect(texts[0]).toContain("rest.iad-01.braze.com");
    for (const text of texts) expect(text).not.toContain(clearKey);
  });
});

// The time-skipping server tells no parent of a terminated child, and stalls where a message meets continue-as-new.
describe("workflows, on the dev server", () => {
  let stage: WorkflowStage;
  beforeAll(async () => {
    stage = await startDevServer(bundle);
  });
  afterAll(async () => {
    await stage?.stop();
  });

  test("a run that is terminated is closed in the log, and a new run follows", async () => {
    const connector = await new DrivenConnector(stage).activated();
    connector.fake.on.send = () => untilCancelled();
    await connector.recompute(t1);
    await until("the run to send", () => connector.fake.sent.length === 1);
    connector.fake.on = {};
    await connector.run(1).terminate();
    await connector.untilRuns(2);
    const codes = connector.fake.closed().map((run) => run.summary.error?.code);
    expect(codes).toEqual(["run_abandoned", undefined]);
  });

  test("a terminated connector comes back from its log by a signal with its id alone", async () => {
    const connector = await new DrivenConnector(stage).delivered(t1);
    const before = await connector.describe();
    await connector.handle.terminate();
    await connector.recompute(t2);
    const view = await connector.untilRuns(2);
    expect(view).toMatchObject({
      status: "active",
      config: before.config,
      last_run: { number: 2, computed_at: t2 },
    });
  });

  test("a connector terminated in mid-run closes that run as it comes back, and runs again", async () => {
    const connector = await new DrivenConnector(stage).activated();
    connector.fake.on.send = () => untilCancelled();
    await connector.recompute(t1);
    await until("the run to send", () => connector.fake.sent.length === 1);
    await connector.handle.terminate();
    connector.fake.on = {};
    await connector.signal("only to revive it");
    const view = await connector.untilRuns(2);
    expect(connector.fake.closed()[0]?.summary.error?.code).toBe("run_abandoned");
    expect(view).toMatchObject({ last_run: { number: 2, outcome: "clean", computed_at: t1 } });
  });

  test("continue-as-new after the given number of runs keeps what was signalled meanwhile", async () => {
    const connector = new DrivenConnector(stage);
    connector.fake.pace.runsPerHistory = 2;
    await connector.delivered(t1);
    const before = (await connector.handle.describe()).runId;
    const held = gate();
    connector.fake.on.fetchMembership = () => held.opened;
    await connector.recompute(t2);
    await until("the run to fetch", () => connector.fake.begun === 2);
    await connector.recompute(t3);
    await connector.signal();
    held.open();
    await connector.untilRuns(3);
    expect((await connector.handle.describe()).runId).not.toBe(before);
    expect((await connector.describe()).last_run?.computed_at).toBe(t3);
    expect(connector.fake.begun).toBe(3);
  });

  test("updates and signals that meet continue-as-new are answered and kept", async () => {
    const connector = new DrivenConnector(stage);
    connector.fake.pace.runsPerHistory = 1;
    await connector.delivered(t1);
    const { runId } = await connector.handle.describe();
    for (let size = 1; size <= 20; size++) {
      const [view] = await Promise.all([
        connector.updateWithStart("configure", { batch_size: size }),
        connector.recompute(`2026-05-01T12:00:${size + 10}Z`),
      ]);
      expect(view.config.batch_size).toBe(size);
    }
    await until(
      "the newest to be delivered",
      () => connector.fake.opened().deliveredComputedAt === "2026-05-01T12:00:30Z",
    );
    await until("a new history", async () => (await connector.handle.describe()).runId !== runId);
  });
});

/** A history's JSON with every payload decoded, so that nothing hides behind base64. */
function decodedText(json: unknown): string {
  return JSON.stringify(json, (name, value: unknown) =>
    name === "data" && typeof value === "string" ? Buffer.from(value, "base64").toString("utf8") : value,
  );
}

function attribute(
  connector: DrivenConnector,
  direction: PlannedDelta["direction"],
  parts: number,
): PlannedDelta {
  return {
    channel: `attribute:segops_segment_${connector.key.segment_id}`,
    direction,
    users: 10 * parts,
    parts,
  };
}

/** Events of updates: a refused one has none, and no activity either. */
async function acceptedUpdates(connector: DrivenConnector): Promise<number> {
  const { events } = await connector.handle.fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length;
}

async function failedTasks(connector: DrivenConnector): Promise<number> {
  const { events } = await connector.handle.fetchHistory();
  return (events ?? []).filter((event) => event.workflowTaskFailedEventAttributes).length;
}

function expectWithin(value: number | undefined, least: number, most: number): void {
  expect(value).toBeGreaterThanOrEqual(least);
  expect(value).toBeLessThanOrEqual(most);
}

/** Minutes from one time to another. */
function between(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / minuteMs;
}
