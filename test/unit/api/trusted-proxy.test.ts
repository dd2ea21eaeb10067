import { afterEach, expect, test } from "vitest";
import type { Page } from "../../../src/api/pages.ts";
import { parseEnvironment } from "../../../src/contracts/environment.ts";
import { loggedConnector } from "./logged-connector.ts";
import { apiKey, testGateway, type TestGateway } from "./test-gateway.ts";

let gateway: TestGateway;
afterEach(() => gateway.server.close());

const forwarded = {
  "x-forwarded-proto": "https",
  "x-forwarded-host": "braze.example.org",
  "x-forwarded-for": "192.0.2.9",
};

/** The address of the next page, as a caller behind this proxy is told it. */
async function nextPage(TRUST_PROXY: string, remoteAddress: string): Promise<string | null> {
  gateway = await testGateway({ trustedProxies: parseEnvironment({ TRUST_PROXY }).TRUST_PROXY });
  for (const id of [1, 2]) await loggedConnector(gateway.storage, id);
  const answer = await gateway.server.inject({
    url: "/api/activations/?page_size=1",
    headers: { authorization: `ApiKey ${apiKey}`, host: "10.0.0.5:8088", ...forwarded },
    remoteAddress,
  });
  return answer.json<Page<unknown>>().next;
}

const seen = "https://braze.example.org/api/activations/?page_size=1&page=2";
const unseen = "http://10.0.0.5:8088/api/activations/?page_size=1&page=2";

test.each([
  ["loopback", "127.0.0.1"],
  ["10.0.0.7", "10.0.0.7"],
  ["192.0.2.1, 10.0.0.0/8", "10.200.3.4"],
  ["fd00::/8", "fd00::7"],
])("behind a proxy of TRUST_PROXY=%s pages are linked as the caller sees us", async (trusted, proxy) => {
  expect(await nextPage(trusted, proxy)).toBe(seen);
});

test.each([
  ["", "127.0.0.1"],
  ["10.0.0.7", "10.0.0.8"],
  ["loopback", "192.0.2.9"],
])("with TRUST_PROXY=%s nothing that %s forwards counts", async (trusted, proxy) => {
  expect(await nextPage(trusted, proxy)).toBe(unseen);
});
