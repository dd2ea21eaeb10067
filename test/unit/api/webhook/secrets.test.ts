import { createHmac } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WatchedFile } from "../../../../src/api/auth/watched-file.ts";
import { parseSecrets } from "../../../../src/api/webhook/secrets.ts";
import { loggedConnector } from "../logged-connector.ts";
import { testGateway, type TestGateway } from "../test-gateway.ts";

const body = JSON.stringify({ event: "segment.recomputed", tenant_slug: "acme", segment_id: 7 });
const logged: object[] = [];
let file: string;
let gateway: TestGateway;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), "segops-braze-secrets-")), "secrets.json");
  await configured("whsec_old");
  const log = {
    error: (line: object) => void logged.push(line),
    info: (line: object) => void logged.push(line),
  };
  const variable = "SEGOPS_WEBHOOK_SECRETS_FILE";
  const webhookSecrets = await WatchedFile.open({ variable, path: file, parse: parseSecrets, log });
  gateway = await testGateway({ webhookSecrets });
  await loggedConnector(gateway.storage, 7);
});
afterEach(() => gateway.server.close());

function configured(acme: string | string[]): Promise<void> {
  return writeFile(file, JSON.stringify({ acme, other: "whsec_of_another" }));
}

async function statusUnder(secret: string): Promise<number> {
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  const answer = await gateway.server.inject({
    method: "POST",
    url: "/api/webhooks/segops/",
    headers: { "content-type": "application/json", "x-segops-signature": `sha256=${signature}` },
    payload: body,
  });
  return answer.statusCode;
}

const untilStatus = (secret: string, status: number) =>
  expect.poll(() => statusUnder(secret), { timeout: 10_000 }).toBe(status);

test("a secret is replaced without a restart: the new one beside the old, then the new one alone", async () => {
  expect(await statusUnder("whsec_old")).toBe(202);
  expect(await statusUnder("whsec_new")).toBe(401);
  await configured(["whsec_new", "whsec_old"]);
  await untilStatus("whsec_new", 202);
  expect(await statusUnder("whsec_old")).toBe(202);
  await configured("whsec_new");
  await untilStatus("whsec_old", 401);
  expect(await statusUnder("whsec_new")).toBe(202);
  expect(await statusUnder("whsec_of_another")).toBe(401);
  expect(logged).toHaveLength(2);
  expect(JSON.stringify([logged, gateway.lines])).not.toContain("whsec");
});
