import { expect, test } from "vitest";
import { followRun } from "../../../src/cli/follow-run.ts";
import type { Output } from "../../../src/cli/output.ts";
import { ClientError, type ConnectorView } from "../../../src/client.ts";
import { connectorView, runSummary } from "./connector-view.ts";

const silent: Output = { json: true, result() {}, note() {} };
const running = (number: number) => ({
  number,
  workflow_id: "w",
  reason: "sync",
  computed_at: null,
  started_at: "",
});

/** Answers one after the other, the last one for ever. */
function answers(...views: (ConnectorView | Error)[]): () => Promise<ConnectorView> {
  return async () => {
    const view = views.length > 1 ? views.shift() : views[0];
    if (view === undefined || view instanceof Error) throw view;
    return view;
  };
}

const wait = { output: silent, beginPatienceMs: Infinity };

test("waits for the run after the one that was under way when it was asked", async () => {
  const asked = connectorView({ current_run: running(4), last_run: runSummary(3) });
  const look = answers(
    connectorView({ current_run: running(5), last_run: runSummary(4) }),
    connectorView({ last_run: runSummary(5) }),
  );
  expect((await followRun(look, asked, wait)).last_run?.number).toBe(5);
});

test("a run that failed is thrown with its own code and words", async () => {
  const error = { code: "braze_key_rejected", message: "Braze answered 401." };
  const look = answers(
    connectorView({ status: "error", last_run: runSummary(1, { outcome: "failed", error }) }),
  );
  const followed = followRun(look, connectorView(), wait);
  await expect(followed).rejects.toMatchObject({
    code: "braze_key_rejected",
    message: "run 1 ended failed: Braze answered 401.",
  });
});

test("where no run begins in time there was nothing to do", async () => {
  const look = answers(connectorView());
  const view = await followRun(look, connectorView(), { output: silent, beginPatienceMs: 0 });
  expect(view.last_run).toBeNull();
});

test("ends when somebody deactivates the connector meanwhile", async () => {
  const look = answers(connectorView({ status: "inactive" }));
  await expect(followRun(look, connectorView(), wait)).rejects.toMatchObject({ code: "connector_inactive" });
});

test("bears workers that are away for a while, but not for ever", async () => {
  const away = new ClientError("worker_silent");
  const look = answers(away, away, connectorView({ last_run: runSummary(1) }));
  expect((await followRun(look, connectorView(), wait)).last_run?.number).toBe(1);
  await expect(followRun(answers(away), connectorView(), wait)).rejects.toBe(away);
});
