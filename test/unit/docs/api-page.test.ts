import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { apiPage, describeApi } from "../../../scripts/api-page.ts";

test("docs/api.md says what the gateway publishes; `npm run describe` writes it anew", async () => {
  const page = readFileSync(new URL("../../../docs/api.md", import.meta.url), "utf8");
  expect(page).toBe(apiPage(await describeApi()));
});
