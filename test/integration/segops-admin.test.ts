import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayKey } from "../../sandbox/stack-environment.ts";
import type { ConnectorView } from "../../src/client.ts";
import { skipsWithoutPythonTools } from "../python/python-tools.ts";
import { startStage, type Stage } from "./harness.ts";
import { SegopsAdmin } from "./segops-admin.ts";
import { eventually } from "./waiting.ts";

// SegOps' published client, as it is on PyPI, against a gateway with a worker. One story, told in order.
describe.skipIf(skipsWithoutPythonTools("SegOps' own Python client"))("segops_admin", () => {
  let stage: Stage;
  let gatewayUrl: string;
  let admin: SegopsAdmin;

  beforeAll(async () => {
    stage = await startStage();
    await stage.startWorker();
    gatewayUrl = (await stage.stack.startGateway()).url;
    admin = new SegopsAdmin(gatewayUrl, gatewayKey);
  });
  afterAll(async () => {
    await stage?.stop();
  });

  const creation = (segment: number, config: object = {}) => ({
    segment,
    connector_type: "braze",
    config: { rest_endpoint: stage.stack.brazeUrl, api_key: "braze-key", ...config },
  });

  test("creates and activates a connector whose members are delivered after SegOps' signed webhook", async () => {
    const connector = stage.connector();
    await connector.workspace({});
    await connector.segment({ name: "High LTV Buyers", generate: { count: 40, prefix: "member-" } });
    const [created, activated] = await admin.calls(
      ["create", creation(connector.id, { api_key: connector.brazeKey })],
      ["update", connector.id, { status: "active" }],
    );
    expect(created).toMatchObject({
      answer: { id: connector.id, status: "inactive", config: { api_key: "***" } },
    });
    expect(activated).toMatchObject({ answer: { id: connector.id, status: "active" } });

    const { computed_at, webhook } = await stage.stack.segops.recompute(
      connector.key.tenant_slug,
      connector.id,
    );
    expect(webhook).toEqual({ status: 202 });
    const view = await eventually("the members are delivered", async () => {
      const [got] = await admin.calls(["get", connector.id]);
      const { last_run } = (got?.answer ?? {}) as Partial<ConnectorView>;
      return last_run?.computed_at === computed_at && got?.answer;
    });
    expect(view).toMatchObject({ member_count: 40, last_error: "", last_run: { outcome: "clean" } });
    expect(await connector.inBraze()).toHaveLength(40);
    expect(await connector.differing()).toEqual({ missing: [], extra: [] });
  });

  test("sync starts a run of an active connector, and raises what the gateway says of an inactive one", async () => {
    const [active] = await activeOnes();
    if (!active) throw new Error("the connector of the first test is not active");
    const before = active.last_run?.number ?? 0;
    const [queued] = await admin.calls(["sync", active.id]);
    expect(queued).toEqual({ answer: { status: "queued" } });
    await eventually("the run is over", async () => {
      const [got] = await admin.calls(["get", active.id]);
      const { last_run } = (got?.answer ?? {}) as Partial<ConnectorView>;
      return (last_run?.number ?? 0) > before;
    });
    const [, refused] = await admin.calls(["create", creation(100)], ["sync", 100]);
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.any(String) as string } });
  });

  test("iterates over every page, and lists one with the addresses of its neighbours", async () => {
    const others = [101, 102, 103, 104];
    await admin.calls(...others.map((id): [string, object] => ["create", creation(id)]));
    const [iterated, listed, filtered] = await admin.calls(
      ["iterate", { page_size: 2 }],
      ["list", { page: 2, page_size: 2 }],
      ["list", { status: "active" }],
    );
    const ids = [1, 100, ...others];
    expect(iterated).toMatchObject({ answer: ids.map((id) => ({ id })) });
    const page = (number: number) => `${gatewayUrl}/api/activations/?page=${number}&page_size=2`;
    expect(listed).toMatchObject({
      answer: { count: 6, next: page(3), previous: page(1), results: [{ id: 101 }, { id: 102 }] },
    });
    expect(filtered).toMatchObject({ answer: { count: 1, next: null, results: [{ id: 1 }] } });
  });

  test("PATCH changes what it names; PUT of what was read, changed, replaces the rest with its defaults", async () => {
    const [patched] = await admin.calls([
      "update",
      101,
      { config: { batch_size: 50, max_removal_percent: 10 } },
    ]);
    expect(patched).toMatchObject({ answer: { config: { batch_size: 50, max_removal_percent: 10 } } });
    const read = patched?.answer as ConnectorView;
    const { batch_size: _left, ...config } = read.config;
    const replaced = await admin.replace(101, { ...read, config });
    expect(replaced).toMatchObject({
      answer: {
        status: "inactive",
        config: {
          rest_endpoint: stage.stack.brazeUrl,
          api_key: "***",
          batch_size: 75,
          max_removal_percent: 10,
        },
      },
    });
  });

  test("delete answers nothing, and what is deleted is found no more", async () => {
    const [deleted, got, again] = await admin.calls(["delete", 104], ["get", 104], ["delete", 104]);
    expect(deleted).toEqual({ answer: null });
    expect(got).toMatchObject({ status: 404, body: { detail: expect.any(String) as string } });
    expect(again).toMatchObject({ status: 404 });
  });

  test("a refused field is raised by its name, and another tenant's key is nobody's", async () => {
    const [refused] = await admin.calls(["create", creation(105, { batch_size: 76 })]);
    expect(refused).toMatchObject({ status: 400, body: { batch_size: [expect.any(String) as string] } });
    const [unknown] = await new SegopsAdmin(gatewayUrl, "sk_of_nobody").calls(["list"]);
    expect(unknown).toMatchObject({ status: 401 });
  });

  test("`segops-admin activations list` and `sync` print the gateway's answers, and say what was refused", async () => {
    const list = await admin.commandLine("activations", "list");
    expect(list.code).toBe(0);
    expect(JSON.parse(list.stdout)).toMatchObject({
      count: 5,
      results: [{ id: 1 }, { id: 100 }, {}, {}, {}],
    });
    const sync = await admin.commandLine("activations", "sync", "1");
    expect([sync.code, JSON.parse(sync.stdout)]).toEqual([0, { status: "queued" }]);
    const refused = await admin.commandLine("activations", "sync", "100");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/^API error 409: /)]);
  });

  async function activeOnes(): Promise<ConnectorView[]> {
    const [listed] = await admin.calls(["list", { status: "active" }]);
    const { results = [] } = (listed?.answer ?? {}) as { results?: ConnectorView[] };
    return results;
  }
});
