import { describe, expect, test } from "vitest";
import { Harness } from "./harness.ts";

const braze = new Harness();

describe("custom_attributes", () => {
  test("they come alphabetically, 50 a page, the next page by the Link header", async () => {
    const key = await braze.workspace();
    const names = Array.from({ length: 60 }, (_, n) => `a${String(n).padStart(2, "0")}`);
    await braze.track(key, [
      Object.fromEntries([["external_id", "u"], ...names.toReversed().map((name) => [name, true])]),
    ]);
    const first = await braze.get(key, "/custom_attributes");
    expect(namesIn(first.json)).toEqual(names.slice(0, 50));
    const next = /^<(.+)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    expect(next.startsWith(braze.url)).toBe(true);
    const second = await braze.get(key, next.slice(braze.url.length));
    expect(namesIn(second.json)).toEqual(names.slice(50));
    expect(second.headers.get("link")).toBeNull();
  });

  test("each tells its type and whether it is blocklisted", async () => {
    const key = await braze.workspace({
      blocklistedAttributes: ["blocked"],
      forcedTypes: { forced: "number" },
    });
    await braze.track(key, [{ external_id: "u", flag: true, list: ["x"], text: "y", blocked: 1 }]);
    const { json } = await braze.get(key, "/custom_attributes");
    expect(json["attributes"]).toMatchObject([
      { name: "blocked", status: "Blocklisted" },
      { name: "flag", data_type: "Boolean", status: "Active", array_length: null },
      { name: "forced", data_type: "Number", status: "Active" },
      { name: "list", data_type: "Array", status: "Active", array_length: 500 },
      { name: "text", data_type: "String", status: "Active" },
    ]);
  });
});

function namesIn(json: Record<string, unknown>): string[] {
  return (json["attributes"] as { name: string }[]).map(({ name }) => name);
}
