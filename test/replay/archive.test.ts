import { describe, expect, test } from "vitest";
import { currentVersion, readArchive } from "./archive.ts";
import { scenarioNames, type ScenarioName } from "./scenario-names.ts";

const archive = readArchive();
const maxBytes = 3_000_000;

/** What one of a scenario's histories must hold to be worth its name. */
const telltales: Record<ScenarioName, RegExp> = {
  "first-load": /"activityType": *\{\s*"name": *"trackEntered"/,
  "delta-with-subscription-group": /"activityType": *\{\s*"name": *"updateSubscriptionGroup"/,
  "no-change": /"signalName": *"recompute"/,
  "braze-failing-then-recovering": /"type": *"braze_rate_limited"[^]*EVENT_TYPE_TIMER_FIRED/,
  "key-rejected": /"type": *"braze_key_rejected"/,
  "configuration-change": /"activityType": *\{\s*"name": *"unsetExited"/,
  "deactivated-in-mid-run": /EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED/,
  "run-terminated": /"activityType": *\{\s*"name": *"closeRun"/,
  "worker-killed": /TIMEOUT_TYPE_HEARTBEAT/,
  "continue-as-new": /EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW/,
  "history-ends-in-mid-run": /"signalName": *"runEnded"/,
  "read-back": /"name": *"verify"/,
};

describe.each(scenarioNames)("the scenario %s", (scenario) => {
  const recorded = archive.filter((one) => one.scenario === scenario && one.version === currentVersion);

  test(`is recorded of version ${currentVersion}, for both workflows`, () => {
    const files = recorded.map(({ name }) => name.split("/").at(-1));
    expect(files).toEqual(expect.arrayContaining(["connector-1.json", "syncRun-1.json"]));
  });

  test("holds what its name says", () => {
    expect(recorded.some(({ text }) => telltales[scenario].test(text))).toBe(true);
  });
});

describe("the archive", () => {
  test("tells of no machine: no path of an installation, no host", () => {
    for (const { name, text } of archive) {
      expect
        .soft(text.match(/(file:\/\/|[\s"(]\/(work|root|home|Users|tmp|var|opt|usr|app)\/)[^"]{0,80}/), name)
        .toBeNull();
      const identities = [...text.matchAll(/"identity": *"([^"]*)"/g)].map(([, identity]) => identity);
      expect
        .soft(
          identities.filter((identity) => !isPlain(identity)),
          name,
        )
        .toEqual([]);
    }
  });

  test("holds no key in clear", () => {
    expect(
      archive.filter(({ text }) => /braze-key-|sk_/.test(decoded(text))).map(({ name }) => name),
    ).toEqual([]);
  });

  test(`stays under ${maxBytes / 1e6} MB for each version`, () => {
    const bytes = new Map<string, number>();
    for (const { version, text } of archive) bytes.set(version, (bytes.get(version) ?? 0) + text.length);
    expect(Math.max(...bytes.values())).toBeLessThan(maxBytes);
  });
});

/** The recorder's and its workers', and the server's own. */
function isPlain(identity = ""): boolean {
  return /^(\d+@)?recording$|^history-service$/.test(identity);
}

/** A history with its payloads readable, for searching. */
function decoded(text: string): string {
  return text.replace(/"data": *"([\w+/=]+)"/g, (_, data: string) => Buffer.from(data, "base64").toString());
}
