import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@temporalio/client";
import { createApiLogger } from "../../../src/api/logger.ts";
import { ApiKeys, hashOfKey } from "../../../src/api/auth/api-keys.ts";
import { buildServer } from "../../../src/api/build-server.ts";
import type { GatewayDeps } from "../../../src/api/deps.ts";
import type { Server } from "../../../src/api/gateway.ts";
import { parseSecrets } from "../../../src/api/webhook/secrets.ts";
import type { Connectors, ConnectorView } from "../../../src/client.ts";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { Storage } from "../../../src/storage/storage.ts";
import { connectorView } from "../cli/connector-view.ts";

/** What was asked of the connectors: every call that would reach Temporal. */
interface AskedCall {
  call: string;
  args: unknown[];
}

export interface TestGateway {
  server: Server;
  storage: Storage;
  asked: AskedCall[];
  lines: string[];
  connectors: { answer: (call: string, args: unknown[]) => Promise<unknown> };
}

export const apiKey = "sk_acme_0123456789abcdef";
export const otherKey = "sk_other_0123456789abcdef";
export const viewerKey = "sk_viewer_0123456789abcdef";
export const webhookSecret = "whsec_new_0123456789";

/** A gateway over a real folder, whose connectors only write down what they are asked. */
export async function testGateway(changed: Partial<GatewayDeps> = {}): Promise<TestGateway> {
  const asked: AskedCall[] = [];
  const lines: string[] = [];
  const connectors: TestGateway["connectors"] = { answer: async () => connectorView() };
  const storage = await openStorage(`file:${await mkdtemp(join(tmpdir(), "segops-braze-api-"))}`);
  const keys = new ApiKeys({
    acme: [apiKey, { hash: hashOfKey(viewerKey), role: "viewer" }],
    other: [hashOfKey(otherKey)],
  });
  const secrets = parseSecrets({ acme: [webhookSecret, "whsec_old_0123456789"] });
  const recording = new Proxy({} as Connectors, {
    get:
      (_target, call: string) =>
      async (...args: unknown[]) => {
        asked.push({ call, args });
        return (await connectors.answer(call, args)) as ConnectorView;
      },
  });
  const server = await buildServer({
    client: { options: { namespace: "default" } } as unknown as Client,
    connectors: recording,
    storage,
    doorkeeper: { apiKeys: { current: async () => keys } },
    webhookSecrets: { current: async () => secrets },
    explain: async (...args) => {
      asked.push({ call: "explain", args });
      return {
        tenant_slug: "acme",
        segment: 7,
        now: { run: null, desired: null, computed_at: null, channels: [] },
        runs: [],
        next_before: null,
      };
    },
    allowedOrigins: [],
    ratePerMinute: 100_000,
    version: "0.0.0-test",
    log: createApiLogger("info", { write: (line: string) => void lines.push(line) }),
    ...changed,
  });
  await server.ready();
  return { server, storage, asked, lines, connectors };
}
