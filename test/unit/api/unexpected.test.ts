import { expect, test } from "vitest";
import { loggedConnector } from "./logged-connector.ts";
import { apiKey, testGateway } from "./test-gateway.ts";

test("what nobody expected is told by its class and its place: its own words may hold a user's id", async () => {
  const gateway = await testGateway({
    explain: async (_key, userId) => {
      throw new TypeError(`cannot compare ${userId}\nwith anything`);
    },
  });
  await loggedConnector(gateway.storage, 7);
  const answer = await gateway.server.inject({
    url: "/api/activations/7/explain/?user_id=canary-user",
    headers: { authorization: `ApiKey ${apiKey}`, "x-request-id": "0123-4567" },
  });
  await gateway.server.close();
  expect(answer.statusCode).toBe(500);
  expect(answer.json()).toEqual({ detail: expect.stringMatching(/request id 0123-4567/) as string });
  const failed = gateway.lines.find((line) => line.includes("request failed"));
  expect(JSON.parse(failed ?? "{}")).toMatchObject({
    error: "TypeError",
    request_id: "0123-4567",
    stack: expect.arrayContaining([expect.stringContaining("unexpected.test.ts")]) as string[],
  });
  expect(`${answer.body}${gateway.lines.join("")}`).not.toContain("canary");
});
